import { describe, expect, test } from "vitest";
import type { InvoiceDocument } from "../../src/invoice/document.ts";
import { formatsFor } from "../../src/invoice/formats.ts";
import { invoiceHtml } from "../../src/invoice/invoice-html.ts";
import { openTestPrinter } from "../open-test-printer.ts";
import { readPdf } from "../read-pdf.ts";
import { anInvoice, someLines } from "./sample-invoices.ts";

async function setup() {
  const t = await openTestPrinter();
  return {
    ...t,
    [Symbol.asyncDispose]: () => t[Symbol.asyncDispose](),
    async render(invoice: InvoiceDocument) {
      const page = await invoiceHtml(invoice);
      const printed = await t.printer.print(page.html, page);
      return { ...printed, ...(await readPdf(printed.pdf)), raw: printed.pdf };
    },
  };
}

/** Embedded fonts by name, as the PDF spells them: six letters and a plus mean a subset. */
const fontNames = (pdf: Uint8Array) =>
  [
    ...Buffer.from(pdf)
      .toString("latin1")
      .matchAll(/\/BaseFont \/(\S+)/g),
  ].map(([, name]) => name);

describe("a long invoice", () => {
  test("of 1,000 lines has at least 40 pages, and its lines add up to the printed total", async () => {
    await using t = await setup();
    const invoice = anInvoice({ lines: someLines(1_000) });

    const { pages, text, pageCount } = await t.render(invoice);

    expect(pages).toHaveLength(pageCount);
    expect(pageCount).toBeGreaterThanOrEqual(40);
    const nets = [...text.matchAll(/[\d,]+\.\d\d\s+\d+%\s+([\d,]+\.\d\d)/g)].map(([, net]) =>
      BigInt(net?.replaceAll(/[,.]/g, "") ?? ""),
    );
    expect(nets).toHaveLength(1_000);
    const sum = nets.reduce((total, net) => total + net, 0n);
    const formats = formatsFor("en-GB", "EUR", 2);
    expect(text).toMatch(new RegExp(`Net total\\s+${formats.money(sum)}`));
    expect(text).toMatch(new RegExp(`Total\\s+${formats.money(invoice.grossMinor)}`));
  });

  test("repeats its head and counts its pages on each of them", async () => {
    await using t = await setup();

    const { pages } = await t.render(anInvoice({ lines: someLines(70) }));

    expect(pages.length).toBeGreaterThan(2);
    for (const [index, page] of pages.entries()) {
      expect(page).toContain(`Page ${index + 1} of ${pages.length}`);
      if (/\d%/.test(page)) expect(page).toContain("Description");
      expect(page.includes("Bill to".toUpperCase())).toBe(index === 0);
    }
  });

  test("never begins a page with its totals alone", async () => {
    await using t = await setup();

    // Somewhere among this many consecutive lengths the last line ends a page.
    for (let count = 10; count < 32; count += 1) {
      const { pages } = await t.render(anInvoice({ lines: someLines(count) }));
      const last = pages.find((page) => page.includes("Net total")) ?? "";
      expect(last.split("Net total")[0], `${count} lines`).toMatch(/\d+%/);
    }
  });
});

describe("an invoice", () => {
  test("is a tagged document with its number as title, in its language", async () => {
    await using t = await setup();

    const { tagged, title, language } = await t.render(anInvoice({ locale: "de-DE" }));

    expect({ tagged, title, language }).toEqual({
      tagged: true,
      title: "Rechnung NW-000123",
      language: "de-DE",
    });
  });

  test.each([
    ["en-GB", /Invoice NW-000123/, /Amount due €6,531\.27/, /Page 1 of 1/],
    ["de-DE", /Rechnung NW-000123/, /Zu zahlen 6\.531,27 €/, /Seite 1 von 1/],
    ["fr-FR", /Facture NW-000123/, /Montant dû 6 531,27 €/, /Page 1 sur 1/],
    ["es-ES", /Factura NW-000123/, /Importe a pagar 6\.?531,27 €/, /Página 1 de 1/],
  ])("speaks %s", async (locale, title, due, pageOf) => {
    await using t = await setup();

    const { text } = await t.render(anInvoice({ locale }));

    expect(text).toMatch(title);
    expect(text).toMatch(due);
    expect(text).toMatch(pageOf);
  });

  test("names both parties, tax by rate, terms and bank", async () => {
    await using t = await setup();

    const { text } = await t.render(anInvoice({ notes: "Thank you." }));

    for (const expected of [
      "Nordlicht Werkzeuge GmbH",
      "USt-IdNr. DE811907980",
      "Harper & Lowe Ltd",
      "Tax ID: GB980780684",
      "Tax 19% on €4,626.85",
      "Tax 7% on €958.24",
      "DE02 1203 0000 0000 2020 51",
      "Payable within 30 days without deduction.",
      "Thank you.",
    ])
      expect(text.replaceAll(/[\n ]+/g, " ")).toContain(expected);
  });

  test.each([
    ["DE", "A4"],
    ["US", "Letter"],
  ])("of a company in %s is on %s", async (countryCode, paper) => {
    const invoice = anInvoice();

    const page = await invoiceHtml({ ...invoice, company: { ...invoice.company, countryCode } });

    expect(page.paper).toBe(paper);
  });

  test("prints hostile strings literally and asks nobody for anything", async () => {
    await using t = await setup();
    const hostile = [
      "<img src=x onerror=alert(1)>{{7*7}}",
      "file:///etc/passwd",
      "<script>document.title = 'owned'</script>",
      "</style><h1>owned</h1>",
      "<%= 7 * 7 %>",
    ];

    const { text, title } = await t.render(
      anInvoice({
        number: '</style>"\\',
        customer: { name: hostile[0] ?? "", address: hostile.slice(1) },
        notes: hostile.join("\n"),
        lines: someLines(1).map((line) => ({
          ...line,
          description: `<iframe src="file:///etc/passwd"></iframe>`,
        })),
      }),
    );

    for (const literal of hostile) expect(text).toContain(literal);
    expect(text).toContain('<iframe src="file:///etc/passwd"></iframe>');
    expect(text).not.toContain("root:");
    expect(title).toBe('Invoice </style>"\\');
    expect(t.refused).toEqual([]);
  });

  test("prints Chinese, Japanese and Korean in embedded subsets that can be read back", async () => {
    await using t = await setup();
    const words = ["株式会社山田製作所", "電動ドリルドライバー", "不锈钢工具箱", "안전 장갑"];

    const { text, raw } = await t.render(
      anInvoice({
        currency: "JPY",
        currencyExponent: 0,
        customer: { name: words[0] ?? "", address: ["東京都千代田区丸の内1丁目9-2"] },
        lines: someLines(3).map((line, index) => ({
          ...line,
          description: words[index + 1] ?? "",
        })),
      }),
    );

    for (const word of words) expect(text).toContain(word);
    const fonts = fontNames(raw);
    expect(fonts.filter((name) => !/^[A-Z]{6}\+/.test(name ?? ""))).toEqual([]);
    expect(fonts.join()).toMatch(/NotoSansJP.*Bold/);
    expect(fonts.join()).toMatch(/NotoSansSC/);
    expect(fonts.join()).toMatch(/NotoSansKR/);
  });

  test("holds text from right to left apart from its neighbours, and nothing else", async () => {
    const [line] = someLines(1);
    if (line === undefined) throw new Error("no line");
    const lines = [
      { ...line, quantity: "5", unit: "pcs", description: "Hammer" },
      { ...line, quantity: "6", unit: "-יח", description: "فأس (2)" },
    ];

    const { html } = await invoiceHtml(anInvoice({ lines }));

    expect(html).toContain(">5 pcs</td>");
    expect(html).toContain(">6 <bdi>-יח</bdi></td>");
    expect(html).toContain("<td><bdi>فأس (2)</bdi>");
    expect(html.match(/<bdi>/g)).toHaveLength(2);
  });

  test("knows the letters of every script that is written from right to left", async () => {
    const scripts = "Adlm Arab Hebr Mand Mend Nkoo Rohg Samr Syrc Thaa".split(" ");
    const letter = new RegExp(`[${scripts.map((script) => `\\p{sc=${script}}`).join("")}]`, "u");
    const all = Array.from({ length: 0x1ffff }, (_, code) => code)
      .filter((code) => code < 0xd800 || code > 0xdfff)
      .map((code) => String.fromCodePoint(code))
      .filter((one) => letter.test(one));

    const { html } = await invoiceHtml(anInvoice({ customer: { name: "Harper", address: all } }));

    expect(all.length).toBeGreaterThan(1_500);
    expect(html.match(/<bdi>/g)).toHaveLength(all.length);
  });

  test("prints Arabic and Hebrew in embedded subsets whose words can be read back whole", async () => {
    await using t = await setup();

    const { text, raw } = await t.render(
      anInvoice({
        customer: {
          name: "شركة النخيل للتجارة",
          address: ["شارع الشيخ زايد 15", "שדרות רוטשילד 9"],
        },
      }),
    );

    // A PDF holds what was drawn, and readers differ in how they turn it around: compare each word's letters.
    const letters = (word: string) => [...word].sort().join("");
    const drawn = text.split(/\s+/).map(letters);
    for (const word of "شركة النخيل للتجارة شارع الشيخ زايد שדרות רוטשילד".split(" "))
      expect(drawn, word).toContain(letters(word));
    expect(fontNames(raw).join()).toMatch(/Vazirmatn-Bold/);
    expect(fontNames(raw).join()).toMatch(/NotoSansHebrew/);
  });
});
