import { type Paper, paperOf } from "@ballast/database";
import type { InvoiceDocument, InvoiceLine, IssuingCompany } from "./document.ts";
import { fontsFor } from "./fonts.ts";
import { type Formats, formatsFor, groupIban } from "./formats.ts";
import { type Labels, labelsFor } from "./labels.ts";
import { html, htmlText, type Markup, trusted } from "./markup.ts";
import { stylesheet } from "./stylesheet.ts";

/** One invoice, ready for the printer. */
export interface InvoiceHtml {
  readonly html: string;
  readonly paper: Paper;
  readonly title: string;
  /** BCP 47 tag. */
  readonly language: string;
  /** The day of issue, which is all the time an invoice has. */
  readonly date: Date;
  /** Characters no font of ours has. */
  readonly uncovered: readonly string[];
}

interface Context {
  readonly invoice: InvoiceDocument;
  readonly labels: Labels;
  readonly formats: Formats;
}

/**
 * Lay out one invoice as a self-contained HTML page: fonts inlined, nothing left to load.
 *
 * @throws {RangeError} if the locale's language is not spoken, or a number or day is malformed
 */
export async function invoiceHtml(invoice: InvoiceDocument): Promise<InvoiceHtml> {
  const labels = labelsFor(invoice.locale);
  const formats = formatsFor(invoice.locale, invoice.currency, invoice.currencyExponent);
  const title = `${labels.invoice} ${invoice.number}`;
  const body = invoiceBody({ invoice, labels, formats });
  const { company, customer } = invoice;
  const fonts = await fontsFor({
    // Markup is ASCII, so reading it along costs nothing and forgets no character.
    text: htmlText(body) + footer(invoice) + labels.pageOf,
    bold: `${company.legalName}${customer.name}${title}${formats.money(invoice.grossMinor)}${Object.values(labels).join("")}`,
  });
  const paper = paperOf(company.countryCode);
  const sheet = stylesheet({
    paper,
    fonts: fonts.stack,
    runningTitle: company.legalName,
    runningNumber: title,
    footer: footer(invoice),
    pageOf: labels.pageOf,
  });

  const page = html`<!doctype html>
<html lang="${invoice.locale}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; font-src data:">
<title>${title}</title>
<style>${trusted(fonts.css)}${trusted(sheet)}</style>
</head>
<body>${body}</body>
</html>`;
  return {
    html: htmlText(page),
    paper,
    title,
    language: invoice.locale,
    date: new Date(`${invoice.issueDate}T00:00:00Z`),
    uncovered: fonts.uncovered,
  };
}

const invoiceBody = (context: Context): Markup => html`
${letterhead(context)}
<main>
${parties(context)}
${heading(context)}
${items(context)}
${payment(context)}
</main>`;

/** Letters written from right to left, and what turns others around; the languages of our labels have none. */
const TURNS =
  /[\u0590-\u08ff\u200f\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * Text of unknown direction inside a line of ours; it neither turns its neighbours around nor moves. Apart only where
 * it could: each element and each piece of text is one more for the tags of a PDF, of which a long invoice has thousands.
 */
const anyDirection = (text: string): Markup =>
  TURNS.test(text) ? html`<bdi>${text}</bdi>` : html`${text}`;

const stacked = (lines: readonly (string | undefined)[]): Markup[] =>
  lines.filter((line) => line !== undefined).map((line) => html`<div>${anyDirection(line)}</div>`);

function letterhead({ invoice: { company } }: Context): Markup {
  return html`<header class="letterhead">
<div class="name">${anyDirection(company.legalName)}</div>
<div class="contact">${stacked([...company.address, company.phone, company.email, company.website, ...registrations(company)])}</div>
</header>`;
}

function parties(context: Context): Markup {
  const { invoice, labels, formats } = context;
  const { customer } = invoice;
  const facts: readonly (readonly [string, string])[] = [
    [labels.invoiceNumber, invoice.number],
    [labels.issueDate, formats.date(invoice.issueDate)],
    ...dueDate(context),
  ];
  return html`<section class="parties">
<div class="customer">
<div class="label">${labels.billTo}</div>
<div class="name">${anyDirection(customer.name)}</div>
${stacked(customer.address)}
${customer.taxId !== undefined && html`<div>${labels.taxId}: ${anyDirection(customer.taxId)}</div>`}
</div>
<table class="facts">${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${anyDirection(value)}</td></tr>`)}</table>
</section>`;
}

function heading(context: Context): Markup {
  const { invoice, labels, formats } = context;
  const due = dueDate(context).map(([label, day]) => ` · ${label} ${day}`);
  return html`<h1>${labels.invoice} <strong>${anyDirection(invoice.number)}</strong></h1>
<p class="due">${labels.amountDue} <strong>${formats.money(invoice.grossMinor)}</strong>${due}</p>`;
}

const dueDate = ({ invoice, labels, formats }: Context): (readonly [string, string])[] =>
  invoice.dueDate === undefined ? [] : [[labels.dueDate, formats.date(invoice.dueDate)]];

/** A tabular digit at the table's size with its share of padding; the table's layout is fixed for speed. */
const DIGIT_MM = 1.85;

/** Columns wide enough for their longest number, so that none is cut or runs into its neighbour. */
function columns({ invoice: { lines }, formats }: Context): Markup {
  const width = (minMm: number, texts: readonly string[]) => {
    const longest = texts.reduce((most, text) => Math.max(most, text.length), 0);
    return html`<col style="width:${Math.max(minMm, longest * DIGIT_MM + 4).toFixed(1)}mm">`;
  };
  return html`<colgroup>${[
    width(
      10,
      lines.map((line) => String(line.position)),
    ),
    html`<col>`,
    width(
      19,
      lines.map((line) => formats.quantity(line.quantity)),
    ),
    width(
      22,
      lines.map((line) => formats.amount(line.unitPriceMinor)),
    ),
    width(
      13,
      lines.map((line) => formats.percent(line.taxRate)),
    ),
    width(
      24,
      lines.map((line) => formats.amount(line.netMinor)),
    ),
  ]}</colgroup>`;
}

/**
 * The totals stand in the table, in one unbreakable group with the last line, so that they never
 * open a page alone: Chromium does not keep two tables together (`break-before: avoid`).
 */
function items(context: Context): Markup {
  const { invoice, labels } = context;
  const net = `${labels.net} (${invoice.currency})`;
  return html`<table class="items">
${columns(context)}
<thead><tr>
<th scope="col">${labels.position}</th>
<th scope="col">${labels.description}</th>
<th scope="col" class="number">${labels.quantity}</th>
<th scope="col" class="number">${labels.unitPrice}</th>
<th scope="col" class="number">${labels.tax}</th>
<th scope="col" class="number">${net}</th>
</tr></thead>
<tbody>${invoice.lines.slice(0, -1).map((line) => item(line, context))}</tbody>
<tbody class="end">${invoice.lines.slice(-1).map((line) => item(line, context))}
<tr class="closing"><td colspan="6">${totals(context)}</td></tr></tbody>
</table>`;
}

function item(line: InvoiceLine, { formats }: Context): Markup {
  const { sku, unit } = line;
  return html`<tr>
<td class="number position">${line.position}</td>
<td>${anyDirection(line.description)}${sku !== undefined && html`<span class="sku">${anyDirection(sku)}</span>`}</td>
<td class="number quantity">${formats.quantity(line.quantity)}${unit !== undefined && html` ${anyDirection(unit)}`}</td>
<td class="number">${formats.amount(line.unitPriceMinor)}</td>
<td class="number">${formats.percent(line.taxRate)}</td>
<td class="number">${formats.amount(line.netMinor)}</td>
</tr>`;
}

function totals({ invoice, labels, formats }: Context): Markup {
  const taxRows = invoice.taxGroups.map((group) => {
    const name = labels.taxOn
      .replace("{rate}", () => formats.percent(group.taxRate))
      .replace("{net}", () => formats.money(group.netMinor));
    return html`<tr><th scope="row">${name}</th><td class="number">${formats.money(group.taxMinor)}</td></tr>`;
  });
  return html`<table class="totals">
<tr><th scope="row">${labels.netTotal}</th><td class="number">${formats.money(invoice.netMinor)}</td></tr>
${taxRows}
<tr class="grand"><th scope="row">${labels.total}</th><td class="number">${formats.money(invoice.grossMinor)}</td></tr>
</table>`;
}

/** Longer notes do not fit beside the bank's details. */
const SHORT_NOTES_CHARACTERS = 300;

function payment({ invoice, labels }: Context): Markup {
  const { company, paymentTerms, notes } = invoice;
  const row = (name: string, value: Markup | undefined) =>
    value !== undefined && html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`;
  const maybe = (text: string | undefined) => (text === undefined ? undefined : anyDirection(text));
  const iban =
    company.iban === undefined
      ? undefined
      : html`<span class="iban">${groupIban(company.iban)}</span>`;
  const isLong = notes !== undefined && notes.length > SHORT_NOTES_CHARACTERS;
  return html`<section class="payment">
<div><h2>${labels.bankDetails}</h2><table class="bank">
${row(labels.bank, maybe(company.bankName))}
${row("IBAN", iban)}
${row("BIC", maybe(company.bic))}
${row(labels.reference, anyDirection(invoice.number))}
</table></div>
<div>${titled(labels.paymentTerms, paymentTerms)}${!isLong && titled(labels.notes, notes)}</div>
</section>
${isLong && html`<section class="notes">${titled(labels.notes, notes)}</section>`}`;
}

const titled = (title: string, text: string | undefined): Markup | false =>
  text !== undefined && html`<h2>${title}</h2><p class="lines-of-text" dir="auto">${text}</p>`;

const registrations = ({ taxIds }: IssuingCompany): string[] =>
  taxIds.map(({ label, value }) => `${label} ${value}`);

/** Who issued it, at the foot of every page. */
const footer = ({ company }: InvoiceDocument): string =>
  [company.legalName, ...registrations(company)].join("  ·  ");
