/** The PDF worker's own template and printer, one document at a time. */
import { invoiceHtml } from "../../../apps/pdf-worker/src/invoice/invoice-html.ts";
import { openPrinter, type Printer } from "../../../apps/pdf-worker/src/printer.ts";
import { anInvoice, someLines } from "../../../apps/pdf-worker/test/invoice/sample-invoices.ts";
import { oneByOne, serveSubject } from "../src/subject-program.ts";

interface Browser {
  readonly executablePath: string;
  readonly libraryPath?: string;
  readonly fontconfigFile?: string;
}

interface Prints {
  readonly lines: number;
  readonly count: number;
  /** Default `true`, as the worker prints. */
  readonly tagged?: boolean;
  /** Rather than our own, inlined, as the worker prints. */
  readonly systemFonts?: boolean;
}

let printer: Printer | undefined;

serveSubject({
  open: async (browser: Browser) => {
    printer = await openPrinter({ ...browser, pageSlots: 1 });
    return {};
  },
  print: async ({ lines, count, tagged = true, systemFonts = false }: Prints) => {
    if (printer === undefined) throw new Error("ask to open it first");
    const opened = printer;
    const invoice = anInvoice({ lines: someLines(lines) });
    let pageCount = 0;
    const sample = await oneByOne(count, async () => {
      const page = await invoiceHtml(invoice);
      const html = systemFonts ? withoutFonts(page.html) : page.html;
      const printed = await opened.print(html, { ...page, tagged });
      pageCount = printed.pageCount;
    });
    return { ...sample, pageCount };
  },
});

const withoutFonts = (html: string): string => html.replaceAll(/@font-face\{[^}]*\}/g, "");
