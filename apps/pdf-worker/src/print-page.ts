import type { Browser, CDPSession } from "puppeteer";
import { closeNetwork } from "./firewall.ts";
import { renumberNodes, setDates } from "./pdf-file.ts";
import { DocumentTooLargeError } from "./print-errors.ts";

export type Paper = "A4" | "Letter";

/** What is printed beside the HTML itself. */
export interface PrintSettings {
  readonly paper: Paper;
  readonly title: string;
  /** BCP 47 tag; screen readers choose their voice by it. */
  readonly language: string;
  /** Stands in the PDF as the date it was made; the same HTML and date give the same bytes. */
  readonly date: Date;
  /** Default `true`. Without tags a screen reader reads a table as one long line; a long one prints in half the time. */
  readonly tagged?: boolean;
}

export interface PrintPageOptions {
  readonly maxPdfBytes: number;
  readonly onRefused: (scheme: string) => void;
}

/** Leaving a document is quick; a page that cannot is given up. */
const RESET_TIMEOUT_MS = 5_000;
/** Puppeteer's own timeouts are off: who prints holds one deadline over all of it. */
const NO_TIMEOUT = 0;
/** Measured: 2.7 MB came in 44 to 139 ms in pieces of this size, and in 160 to 490 at once. */
const READ_BYTES = 64 * 1_024;
const INCHES = {
  A4: { paperWidth: 8.2677, paperHeight: 11.6929 },
  Letter: { paperWidth: 8.5, paperHeight: 11 },
} as const satisfies Record<Paper, object>;
/** Those of the sheet's own `@page`. */
const NO_MARGINS = { marginTop: 0, marginBottom: 0, marginLeft: 0, marginRight: 0 } as const;

/** One tab that prints documents one after another; making a tab costs more than a short document. */
export interface PrintPage {
  /** @throws {DocumentTooLargeError} as soon as the PDF exceeds its bound */
  print(html: string, settings: PrintSettings): Promise<Uint8Array>;
  /** Forget the last document. */
  reset(): Promise<void>;
  close(): Promise<void>;
  /** Aborts with the cause when the page's renderer dies. */
  readonly crashed: AbortSignal;
}

/** Evaluated inside the page. */
declare const document: {
  title: string;
  documentElement: { lang: string };
  fonts: { ready: Promise<unknown> };
};

export async function openPrintPage(
  browser: Browser,
  { maxPdfBytes, onRefused }: PrintPageOptions,
): Promise<PrintPage> {
  const page = await browser.newPage();
  // Nobody looks at it, and a page that could be seen would be drawn as well.
  await browser.setWindowBounds(await page.windowId(), { windowState: "minimized" });
  await closeNetwork(page, onRefused);
  const devtools = await page.createCDPSession();
  const crashed = new AbortController();
  page.once("error", (cause) => crashed.abort(cause));

  return {
    crashed: crashed.signal,
    async print(html, { paper, title, language, date, tagged = true }) {
      await page.setContent(html, { waitUntil: "load", timeout: NO_TIMEOUT });
      await page.evaluate(
        async (values) => {
          document.title = values.title;
          document.documentElement.lang = values.language;
          await document.fonts.ready;
        },
        { title, language },
      );
      const pdf = await printToPdf(devtools, { paper, tagged, maxPdfBytes });
      setDates(pdf, date);
      renumberNodes(pdf);
      return pdf;
    },
    async reset() {
      await page.goto("about:blank", { timeout: RESET_TIMEOUT_MS });
    },
    close: () => page.close(),
  };
}

async function printToPdf(
  devtools: CDPSession,
  { paper, tagged, maxPdfBytes }: { paper: Paper; tagged: boolean; maxPdfBytes: number },
): Promise<Uint8Array> {
  const { stream: handle } = await devtools.send("Page.printToPDF", {
    ...INCHES[paper],
    ...NO_MARGINS,
    printBackground: true,
    generateTaggedPDF: tagged,
    generateDocumentOutline: tagged, // it is made of the tags
    transferMode: "ReturnAsStream",
  });
  if (handle === undefined) throw new Error("Chromium printed without a stream to read");
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  try {
    for (;;) {
      const read = await devtools.send("IO.read", { handle, size: READ_BYTES });
      const chunk = Buffer.from(read.data, read.base64Encoded ? "base64" : "utf8");
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxPdfBytes) throw new DocumentTooLargeError("pdf", sizeBytes, maxPdfBytes);
      chunks.push(chunk);
      if (read.eof) break;
    }
  } finally {
    // What is not closed lies on the disk; a page that is gone has closed it.
    await devtools.send("IO.close", { handle }).catch(() => {});
  }
  return Buffer.concat(chunks, sizeBytes);
}
