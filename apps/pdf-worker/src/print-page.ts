import type { Browser, Page } from "puppeteer";
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
      const pdf = await readPdf(page, { paper, tagged, maxPdfBytes });
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

async function readPdf(
  page: Page,
  { paper, tagged, maxPdfBytes }: { paper: Paper; tagged: boolean; maxPdfBytes: number },
): Promise<Uint8Array> {
  const stream = await page.createPDFStream({
    format: paper,
    printBackground: true,
    tagged,
    outline: tagged, // it is made of the tags
    waitForFonts: false, // they are there, and asking again costs a round trip
    timeout: NO_TIMEOUT,
  });
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxPdfBytes) throw new DocumentTooLargeError("pdf", sizeBytes, maxPdfBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}
