import type { Browser, Page } from "puppeteer";
import { closeNetwork } from "./firewall.ts";
import { DocumentTooLargeError } from "./print-errors.ts";

export type Paper = "A4" | "Letter";

/** What is printed beside the HTML itself. */
export interface PrintSettings {
  readonly paper: Paper;
  readonly title: string;
  /** BCP 47 tag; screen readers choose their voice by it. */
  readonly language: string;
}

export interface PrintPageOptions {
  readonly timeoutMs: number;
  readonly maxPdfBytes: number;
  readonly onRefused: (scheme: string) => void;
}

/** One tab that prints documents one after another; making a tab costs more than a short document. */
export interface PrintPage {
  /** @throws {DocumentTooLargeError} as soon as the PDF exceeds its bound */
  print(html: string, settings: PrintSettings): Promise<Uint8Array>;
  /** Forget the last document. */
  reset(): Promise<void>;
  close(): Promise<void>;
  /** Rejects when the page's renderer dies. */
  readonly crashed: Promise<never>;
}

/** Evaluated inside the page. */
declare const document: { title: string; documentElement: { lang: string } };

export async function openPrintPage(
  browser: Browser,
  { timeoutMs, maxPdfBytes, onRefused }: PrintPageOptions,
): Promise<PrintPage> {
  const page = await browser.newPage();
  await closeNetwork(page, onRefused);
  const crashed = new Promise<never>((_, reject) => page.once("error", reject));
  crashed.catch(() => {}); // whoever prints listens; a page at rest may die unheard

  return {
    crashed,
    async print(html, { paper, title, language }) {
      await page.setContent(html, { waitUntil: "load", timeout: timeoutMs });
      await page.evaluate(
        (values) => {
          document.title = values.title;
          document.documentElement.lang = values.language;
        },
        { title, language },
      );
      return await readPdf(page, { paper, timeoutMs, maxPdfBytes });
    },
    async reset() {
      await page.goto("about:blank", { timeout: timeoutMs });
    },
    close: () => page.close(),
  };
}

async function readPdf(
  page: Page,
  { paper, timeoutMs, maxPdfBytes }: { paper: Paper; timeoutMs: number; maxPdfBytes: number },
): Promise<Uint8Array> {
  const stream = await page.createPDFStream({
    format: paper,
    printBackground: true,
    tagged: true,
    outline: true,
    timeout: timeoutMs,
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
