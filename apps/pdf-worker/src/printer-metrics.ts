import type { Metrics } from "@ballast/service";
import type { PrinterMetrics } from "./printer.ts";

/** Count a printer's work in the service's metrics. */
export const printerMetrics = (metrics: Metrics): PrinterMetrics => ({
  printing: (count) => metrics.pdfPagesOpen.set(count),
  printed: ({ pageCount }) => metrics.pdfRenderedPages.inc(pageCount),
  requestRefused: (scheme) => metrics.pdfRefusedRequests.inc({ scheme }),
  browserReplaced: (reason) => metrics.pdfBrowserRestarts.inc({ reason }),
});
