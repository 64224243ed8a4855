import { availableParallelism } from "node:os";
import type { BrowserOptions } from "./browser.ts";
import {
  BrowserSupervisor,
  type ReplacementReason,
  type SupervisorLog,
} from "./browser-supervisor.ts";
import { countPages } from "./pdf-file.ts";
import { DocumentTooLargeError, PrintTimeoutError } from "./print-errors.ts";
import type { PrintSettings } from "./print-page.ts";
import { Slots } from "./slots.ts";
import { untilAborted } from "./until-aborted.ts";

export interface PrinterOptions extends Omit<BrowserOptions, "protocolTimeoutMs"> {
  /** Documents printed at a time. Default: the number of cores; more only adds memory and latency. */
  readonly pageSlots?: number;
  /** The browser is replaced after this many PDF pages. Default 2,000. */
  readonly recycleAfterPages?: number;
  /** The browser is replaced once its private memory exceeds this. Default 1,024 MiB. */
  readonly maxMemoryMb?: number;
  /** A print that takes long is killed once the browser's private memory exceeds this. Default 6,144 MiB. */
  readonly maxPrintMemoryMb?: number;
  /** Longest one document may take once it has a slot. Default 60,000. */
  readonly timeoutMs?: number;
  /** Default 16 MiB, fonts included. */
  readonly maxHtmlBytes?: number;
  /** Default 32 MiB. */
  readonly maxPdfBytes?: number;
  readonly log?: SupervisorLog;
  readonly metrics?: PrinterMetrics;
}

export interface PrinterMetrics {
  /** Told whenever the number of documents being printed changes. */
  printing(count: number): void;
  printed(print: { pageCount: number; sizeBytes: number; seconds: number }): void;
  /** @param scheme of few, since it labels a metric */
  requestRefused(scheme: string): void;
  browserReplaced(reason: ReplacementReason): void;
}

export interface PrintRequest extends PrintSettings {
  readonly signal?: AbortSignal;
}

export interface Printed {
  readonly pdf: Uint8Array;
  readonly pageCount: number;
  /** From the moment a slot was free. */
  readonly ms: number;
}

export interface Printer extends AsyncDisposable {
  /** True while a browser is there to print. */
  readonly connected: boolean;
  /** @throws if there is no browser to print */
  ping(): Promise<void>;
  /**
   * Print one self-contained HTML document as a tagged PDF. The HTML is not trusted: it runs no
   * script and reaches nothing but its own `data:` URLs.
   *
   * @throws the signal's reason, at once when it aborts; its slot is free within a second
   * @throws {DocumentTooLargeError} if the HTML or the PDF is
   * @throws {PrintTimeoutError} after `timeoutMs`
   * @throws {PrintMemoryExceededError} if it made the browser hold too much
   * @throws {PrintMemorySharedError} if it was stopped for what it and others made it hold
   * @throws {BrowserCrashedError} if the browser died; the next print gets a new one
   * @throws {DependencyDownError} if no browser can be started
   */
  print(html: string, request: PrintRequest): Promise<Printed>;
}

const MIB = 2 ** 20;
/** The print's own deadline comes first; this one only keeps a lost answer from being awaited for ever. */
const PROTOCOL_MARGIN_MS = 5_000;
const UNCOUNTED: PrinterMetrics = {
  printing() {},
  printed() {},
  requestRefused() {},
  browserReplaced() {},
};

/**
 * Start a browser and keep one running until disposed.
 *
 * @throws {DependencyDownError} if it cannot be started
 */
export async function openPrinter(options: PrinterOptions): Promise<Printer> {
  const {
    pageSlots = availableParallelism(),
    recycleAfterPages = 2_000,
    maxMemoryMb = 1_024,
    maxPrintMemoryMb = 6_144,
    timeoutMs = 60_000,
    maxHtmlBytes = 16 * MIB,
    maxPdfBytes = 32 * MIB,
    log = { info() {}, warn() {} },
    metrics = UNCOUNTED,
    ...browser
  } = options;
  const slots = new Slots(pageSlots);
  let printing = 0;
  const count = (change: number) => {
    printing += change;
    metrics.printing(printing);
  };
  const supervisor = new BrowserSupervisor({
    ...browser,
    recycleAfterPages,
    maxMemoryMb,
    maxPrintMemoryMb,
    maxPdfBytes,
    protocolTimeoutMs: timeoutMs + PROTOCOL_MARGIN_MS,
    log,
    onRefused: (scheme) => metrics.requestRefused(scheme),
    onReplaced: (reason) => metrics.browserReplaced(reason),
  });
  await supervisor.browser();

  return {
    get connected() {
      return supervisor.connected;
    },
    async ping() {
      if (!supervisor.connected) throw new Error("no browser is running");
    },
    async print(html, { signal, ...settings }) {
      const htmlBytes = Buffer.byteLength(html);
      if (htmlBytes > maxHtmlBytes)
        throw new DocumentTooLargeError("html", htmlBytes, maxHtmlBytes);

      const giveBack = await slots.take(signal);
      const startedAt = performance.now();
      using stop = stopAfter(timeoutMs, signal);
      let settled: Promise<void> = Promise.resolve();
      count(+1);
      try {
        const generation = await untilAborted(supervisor.browser(), stop.signal);
        const print = generation.print(html, settings, stop.signal);
        settled = print.settled;
        const pdf = await print.pdf;
        const pageCount = countPages(pdf);
        // Once the document is gone again: what stays then is what the browser has grown by.
        settled = print.settled.then(() => supervisor.printed(generation, pageCount));
        const ms = performance.now() - startedAt;
        metrics.printed({ pageCount, sizeBytes: pdf.byteLength, seconds: ms / 1_000 });
        return { pdf, pageCount, ms };
      } finally {
        void settled.finally(() => {
          count(-1);
          giveBack();
        });
      }
    },
    [Symbol.asyncDispose]: () => supervisor[Symbol.asyncDispose](),
  };
}

/** A signal that aborts with the caller's or when the time is up, whichever is first. */
function stopAfter(timeoutMs: number, outer: AbortSignal | undefined) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new PrintTimeoutError(timeoutMs)), timeoutMs);
  const follow = () => controller.abort(outer?.reason);
  if (outer?.aborted) follow();
  outer?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", follow);
    },
  };
}
