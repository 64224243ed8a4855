/** The same invoice as a React document, laid out by @react-pdf/renderer. */
import type { InvoiceDocument } from "../../../apps/pdf-worker/src/invoice/document.ts";
import { formatsFor } from "../../../apps/pdf-worker/src/invoice/formats.ts";
import { labelsFor } from "../../../apps/pdf-worker/src/invoice/labels.ts";
import { anInvoice, someLines } from "../../../apps/pdf-worker/test/invoice/sample-invoices.ts";
import { load } from "../rivals/load.ts";
import { oneByOne, serveSubject } from "../src/subject-program.ts";

type Element = object;
type Component = string | ((props: object) => Element);
type Child = Element | string | readonly Element[];

interface ReactPdf {
  readonly Document: Component;
  readonly Page: Component;
  readonly View: Component;
  readonly Text: Component;
  renderToBuffer(document: Element): Promise<Uint8Array>;
}

const { createElement } = await load<{
  createElement(of: Component, props: object | null, ...children: Child[]): Element;
}>("react");
const { Document, Page, View, Text, renderToBuffer } = await load<ReactPdf>("@react-pdf/renderer");

const right = { textAlign: "right" } as const;
const page = { padding: 57, fontSize: 8.75, fontFamily: "Helvetica" } as const;
const bold = { fontFamily: "Helvetica-Bold" } as const;
const rowStyle = {
  flexDirection: "row",
  height: 27,
  alignItems: "center",
  borderBottom: "0.4pt solid #dfe3e8",
} as const;
const COLUMNS = [
  { width: 28 },
  { flexGrow: 1, flexBasis: 0 },
  { width: 60, ...right },
  { width: 65, ...right },
  { width: 50, ...right },
  { width: 89, ...right },
] as const;

serveSubject({
  draw: async ({ lines, count }: { lines: number; count: number }) => {
    const invoice = anInvoice({ lines: someLines(lines) });
    return await oneByOne(count, () => renderToBuffer(documentOf(invoice)));
  },
});

const text = (words: string, style: object = {}) => createElement(Text, { style }, words);

const row = (cells: readonly string[], key: string, props: object = {}) =>
  createElement(
    View,
    { key, style: rowStyle, wrap: false, ...props },
    cells.map((cell, n) => createElement(Text, { key: String(n), style: COLUMNS[n] }, cell)),
  );

function documentOf(invoice: InvoiceDocument): Element {
  const labels = labelsFor(invoice.locale);
  const formats = formatsFor(invoice.locale, invoice.currency, invoice.currencyExponent);
  const { company, customer } = invoice;
  const { position, description, quantity, unitPrice, tax, net } = labels;
  const items = invoice.lines.map((line) =>
    row(
      [
        String(line.position),
        line.description,
        `${formats.quantity(line.quantity)} ${line.unit ?? ""}`,
        formats.amount(line.unitPriceMinor),
        formats.percent(line.taxRate),
        formats.amount(line.netMinor),
      ],
      String(line.position),
    ),
  );
  const taxes = invoice.taxGroups.map(({ taxRate, taxMinor }) =>
    createElement(
      Text,
      { key: taxRate, style: right },
      `${formats.percent(taxRate)}  ${formats.money(taxMinor)}`,
    ),
  );
  return createElement(
    Document,
    { title: `${labels.invoice} ${invoice.number}`, language: invoice.locale },
    createElement(
      Page,
      { size: "A4", style: page },
      text(company.legalName, { ...bold, fontSize: 15 }),
      text([...company.address, company.phone, company.email].join("\n"), right),
      text(customer.name, bold),
      text(customer.address.join("\n")),
      text(`${labels.invoice} ${invoice.number}`, { fontSize: 21, marginVertical: 20 }),
      row([position, description, quantity, unitPrice, tax, net], "head", { fixed: true }),
      items,
      taxes,
      text(`${labels.total}  ${formats.money(invoice.grossMinor)}`, {
        ...bold,
        ...right,
        fontSize: 12,
      }),
    ),
  );
}
