/** Puppeteer as its documentation shows it, with the same pages, fonts and browser as ours. */
import puppeteer, { type Browser } from "puppeteer";
import { invoiceHtml } from "../../../apps/pdf-worker/src/invoice/invoice-html.ts";
import { anInvoice, someLines } from "../../../apps/pdf-worker/test/invoice/sample-invoices.ts";
import { oneByOne, serveSubject } from "../src/subject-program.ts";

interface Chromium {
  readonly executablePath: string;
  readonly libraryPath?: string;
  readonly fontconfigFile?: string;
}

interface Prints {
  readonly lines: number;
  readonly count: number;
}

let chromium: Chromium | undefined;
let shared: Browser | undefined;

serveSubject({
  open: async (browser: Chromium) => {
    chromium = browser;
    shared = await launch();
    return {};
  },
  /** One browser for all documents, a new page for each. */
  newPage: async ({ lines, count }: Prints) => {
    if (shared === undefined) throw new Error("ask to open it first");
    const browser = shared;
    const invoice = anInvoice({ lines: someLines(lines) });
    return await oneByOne(count, async () => print(browser, (await invoiceHtml(invoice)).html));
  },
  /** A browser for each document. */
  launch: async ({ lines, count }: Prints) => {
    const invoice = anInvoice({ lines: someLines(lines) });
    return await oneByOne(count, async () => {
      const browser = await launch();
      await print(browser, (await invoiceHtml(invoice)).html);
      await browser.close();
    });
  },
});

async function launch(): Promise<Browser> {
  if (chromium === undefined) throw new Error("ask to open it first");
  const { executablePath, libraryPath, fontconfigFile } = chromium;
  return await puppeteer.launch({
    executablePath,
    headless: "shell",
    pipe: true, // it then ends with this process, which is killed
    // Chromium starts for root in no other way.
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    env: {
      ...process.env,
      ...(libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath }),
      ...(fontconfigFile === undefined ? {} : { FONTCONFIG_FILE: fontconfigFile }),
    },
  });
}

async function print(browser: Browser, html: string): Promise<void> {
  const page = await browser.newPage();
  await page.setContent(html, { waitUntil: "load" });
  await page.pdf({ format: "A4", printBackground: true });
  await page.close();
}
