/** The same invoice drawn with pdfkit: no layout engine, no tags, the fonts every reader has. */
import type { InvoiceDocument } from "../../../apps/pdf-worker/src/invoice/document.ts";
import { formatsFor } from "../../../apps/pdf-worker/src/invoice/formats.ts";
import { labelsFor } from "../../../apps/pdf-worker/src/invoice/labels.ts";
import { anInvoice, someLines } from "../../../apps/pdf-worker/test/invoice/sample-invoices.ts";
import { load } from "../rivals/load.ts";
import { oneByOne, serveSubject } from "../src/subject-program.ts";

interface Pdf extends AsyncIterable<Uint8Array> {
  font(name: string): Pdf;
  fontSize(points: number): Pdf;
  text(text: string, x: number, y: number, options?: { width?: number; align?: string }): Pdf;
  moveTo(x: number, y: number): Pdf;
  lineTo(x: number, y: number): Pdf;
  stroke(): Pdf;
  addPage(): Pdf;
  end(): void;
}

const { default: PDFDocument } = await load<{
  default: new (options: { size: string; margin: number }) => Pdf;
}>("pdfkit");

const [LEFT, RIGHT, TOP, BOTTOM, ROW] = [57, 544, 60, 760, 27];
/** Where a column begins, how wide it is, and on which side its text stands. */
const COLUMNS = [
  [57, 28, "left"],
  [85, 195, "left"],
  [280, 60, "right"],
  [340, 65, "right"],
  [405, 50, "right"],
  [455, 89, "right"],
] as const;

serveSubject({
  draw: async ({ lines, count }: { lines: number; count: number }) => {
    const invoice = anInvoice({ lines: someLines(lines) });
    return await oneByOne(count, async () => bytesOf(draw(invoice)));
  },
});

async function bytesOf(pdf: Pdf): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of pdf) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function draw(invoice: InvoiceDocument): Pdf {
  const pdf = new PDFDocument({ size: "A4", margin: 0 });
  const labels = labelsFor(invoice.locale);
  const formats = formatsFor(invoice.locale, invoice.currency, invoice.currencyExponent);
  const { company, customer } = invoice;
  const bold = () => pdf.font("Helvetica-Bold");
  const regular = () => pdf.font("Helvetica");

  bold().fontSize(15).text(company.legalName, LEFT, TOP);
  regular().fontSize(8);
  const right = { width: 194, align: "right" };
  const contact = [...company.address, company.phone, company.email, company.website];
  contact.forEach((line, n) => {
    pdf.text(line ?? "", 350, TOP + n * 11, right);
  });
  bold().fontSize(10).text(customer.name, LEFT, 160);
  regular().fontSize(9);
  customer.address.forEach((line, n) => {
    pdf.text(line, LEFT, 174 + n * 12);
  });
  pdf.text(`${labels.invoiceNumber} ${invoice.number}`, 350, 160, right);
  pdf.text(`${labels.issueDate} ${formats.date(invoice.issueDate)}`, 350, 172, right);
  pdf.fontSize(21).text(`${labels.invoice} ${invoice.number}`, LEFT, 240);

  const row = (y: number, cells: readonly string[]) => {
    cells.forEach((cell, n) => {
      const [x, width, align] = COLUMNS[n] ?? [LEFT, 50, "left"];
      pdf.text(cell, x, y, { width, align });
    });
    pdf
      .moveTo(LEFT, y + ROW - 4)
      .lineTo(RIGHT, y + ROW - 4)
      .stroke();
  };
  const head = (y: number) => {
    bold().fontSize(7);
    const { position, description, quantity, unitPrice, tax, net } = labels;
    row(y, [position, description, quantity, unitPrice, tax, net]);
    regular().fontSize(8.75);
  };
  let y = 290;
  head(y);
  for (const line of invoice.lines) {
    y += ROW;
    if (y + ROW > BOTTOM) {
      pdf.addPage();
      y = TOP;
      head(y);
      y += ROW;
    }
    row(y, [
      String(line.position),
      line.description,
      `${formats.quantity(line.quantity)} ${line.unit ?? ""}`,
      formats.amount(line.unitPriceMinor),
      formats.percent(line.taxRate),
      formats.amount(line.netMinor),
    ]);
  }
  for (const { taxMinor, taxRate } of invoice.taxGroups) {
    y += 16;
    pdf.text(`${formats.percent(taxRate)}  ${formats.money(taxMinor)}`, 350, y, right);
  }
  bold().fontSize(12);
  pdf.text(`${labels.total}  ${formats.money(invoice.grossMinor)}`, 350, y + 20, right);
  pdf.end();
  return pdf;
}
