import { expect, test } from "vitest";
import { formatMoney } from "../../src/mail/formats.ts";
import { type InvoiceFacts, invoiceMail } from "../../src/mail/invoice-mail.ts";

const facts = (parts: Partial<InvoiceFacts> = {}): InvoiceFacts => ({
  locale: "en-GB",
  number: "R-000123",
  issueDate: "2026-11-24",
  dueDate: "2026-12-08",
  grossMinor: 123_450n,
  currency: "EUR",
  currencyExponent: 2,
  company: {
    legalName: "Acme GmbH",
    email: "office@acme.example",
    phone: "+49 30 123456",
    website: "acme.example",
  },
  customerName: "Northwind Ltd",
  ...parts,
});

/** Intl sets no-break spaces of several widths, and its tables differ in the Swiss apostrophe. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ").replace(/&#39;|’/g, "'");

test.each([
  ["en-GB", "Invoice R-000123 from Acme GmbH", "€1,234.50", "8 December 2026"],
  ["en-US", "Invoice R-000123 from Acme GmbH", "€1,234.50", "December 8, 2026"],
  ["de-DE", "Rechnung R-000123 von Acme GmbH", "1.234,50 €", "8. Dezember 2026"],
  ["de-CH", "Rechnung R-000123 von Acme GmbH", "EUR 1'234.50", "8. Dezember 2026"],
  ["fr-FR", "Facture R-000123 de Acme GmbH", "1 234,50 €", "8 décembre 2026"],
  ["es-ES", "Factura R-000123 de Acme GmbH", "1234,50 €", "8 de diciembre de 2026"],
])(
  "%s: text and HTML name the invoice, the amount, the due date and the company",
  (locale, subject, amount, dueDate) => {
    const mail = invoiceMail(facts({ locale }));

    expect(mail.subject).toBe(subject);
    expect(mail.html).toContain(`<html lang="${mail.language}">`);
    for (const part of [mail.text, mail.html])
      for (const fact of ["R-000123", amount, dueDate, "Acme GmbH", "Northwind Ltd"])
        expect(plain(part)).toContain(fact);
  },
);

test.each(["en-GB", "de-DE", "fr-FR", "es-ES"])("%s: text and HTML say the same", (locale) => {
  const { text, html } = invoiceMail(facts({ locale }));
  const read = (part: string) => plain(part).replace(/[\s·]+/g, " ");
  const shown = read(html.replace(/^[\s\S]*?<body[^>]*>/, "").replace(/<[^>]*>/g, " "));
  const written = read(text);

  for (const line of text.split("\n").filter((line) => line !== ""))
    for (const piece of line.split(/: {1,}(?=\S)/)) expect(shown).toContain(read(piece).trim());
  const words = new Set(written.match(/[\p{L}\p{N}]+/gu));
  const unsaid = (shown.match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !words.has(word));
  expect(unsaid).toEqual([]);
});

test("a language we do not speak is written in English, its numbers in its own way", () => {
  const mail = invoiceMail(facts({ locale: "pt-BR" }));

  expect(mail.language).toBe("en");
  expect(mail.subject).toBe("Invoice R-000123 from Acme GmbH");
  expect(plain(mail.text)).toContain("€ 1.234,50");
});

test("hostile names are printed literally in HTML", () => {
  const name = `<img src=x onerror=alert(1)>{{7*7}} & "file:///etc/passwd" '`;
  const { html, text } = invoiceMail(
    facts({ customerName: name, number: name, company: { ...facts().company, legalName: name } }),
  );

  expect(html).not.toContain("<img");
  expect(html).toContain(
    "&lt;img src=x onerror=alert(1)&gt;{{7*7}} &amp; &quot;file:///etc/passwd&quot; &#39;",
  );
  expect(text).toContain(name);
});

test("the HTML loads nothing and links nowhere", () => {
  const { html } = invoiceMail(facts());

  expect(html).not.toMatch(/<(img|a|link|script|iframe|object|embed)\b|url\(|@import|src=|href=/i);
});

test("nothing asks for a reply where none would arrive", () => {
  const { text, html } = invoiceMail(facts({ company: { ...facts().company, email: null } }));

  expect(text).not.toContain("reply");
  expect(html).not.toContain("reply");
});

test("a line break in a name starts no line of the text", () => {
  const { text } = invoiceMail(facts({ customerName: "Evil\nAmount: 0" }));

  expect(text).toContain("Evil Amount: 0");
  expect(text.match(/^Amount:/gm)).toHaveLength(1);
});

test("the file is named after the invoice, with nothing a file system minds", () => {
  expect(invoiceMail(facts({ number: "2026/11 A:7" })).fileName).toBe("Invoice-2026-11-A-7.pdf");
});

test.each([
  [1n, "EUR", 2, "€0.01"],
  [-5n, "EUR", 2, "-€0.05"],
  [1_234n, "JPY", 0, "JP¥1,234"],
  [1_234n, "KWD", 3, "KWD 1.234"],
  [9_007_199_254_740_993n, "EUR", 2, "€90,071,992,547,409.93"],
])("%s minor units of %s are written exactly", (minor, currency, exponent, written) => {
  expect(plain(formatMoney(minor, currency, exponent, "en-GB"))).toBe(written);
});
