import type { InvoiceDocument, InvoiceLine, TaxGroup } from "../../src/invoice/document.ts";

/** A consistent invoice in English, from Germany; anything may be set otherwise. */
export function anInvoice(overrides: Partial<InvoiceDocument> = {}): InvoiceDocument {
  const lines = overrides.lines ?? someLines(6);
  return {
    company: {
      legalName: "Nordlicht Werkzeuge GmbH",
      address: ["Speicherstraße 14", "20457 Hamburg", "Germany"],
      taxIds: [{ label: "USt-IdNr.", value: "DE811907980" }],
      iban: "DE02120300000000202051",
      bic: "BYLADEM1001",
      bankName: "Deutsche Kreditbank",
      email: "billing@nordlicht.example",
      phone: "+49 40 555 0110",
      website: "nordlicht.example",
      countryCode: "DE",
    },
    customer: {
      name: "Harper & Lowe Ltd",
      address: ["27 Wharf Road", "Bristol", "BS1 6XN", "United Kingdom"],
      taxId: "GB980780684",
    },
    number: "NW-000123",
    issueDate: "2026-11-24",
    dueDate: "2026-12-24",
    currency: "EUR",
    currencyExponent: 2,
    locale: "en-GB",
    lines,
    paymentTerms: "Payable within 30 days without deduction.",
    ...totalsOf(lines),
    ...overrides,
  };
}

const GOODS = [
  "Cordless drill driver, 18 V, brushless",
  "Oak workbench, 1800 × 700 mm, oiled",
  "Torque wrench 20–100 Nm with certificate of calibration",
  "Safety gloves, size 9",
  "LED site light 50 W with tripod and 5 m cable, splash-proof housing for outdoor use",
  "Assembly on site",
];

/** Lines of mixed prices and two tax rates; the same for the same count. */
export function someLines(count: number, { exponent = 2 } = {}): InvoiceLine[] {
  return Array.from({ length: count }, (_, index) => {
    const quantity = 1 + (index % 7);
    const unitPriceMinor = BigInt(199 + ((index * 7_919) % 48_000)) * (exponent === 3 ? 10n : 1n);
    return {
      position: index + 1,
      sku: `NW-${String(10_000 + index * 13)}`,
      description: GOODS[index % GOODS.length] ?? "",
      quantity: `${quantity}.000`,
      unit: index % 6 === 5 ? "h" : "pcs",
      unitPriceMinor,
      netMinor: unitPriceMinor * BigInt(quantity),
      taxRate: index % 5 === 3 ? "7" : "19",
    };
  });
}

/** Totals by tax rate, the tax of each group rounded half up. */
function totalsOf(lines: readonly InvoiceLine[]) {
  const rates = [...new Set(lines.map((line) => line.taxRate))].sort(
    (a, b) => Number(b) - Number(a),
  );
  const taxGroups: TaxGroup[] = rates.map((rate) => {
    const netMinor = sum(
      lines.filter((line) => line.taxRate === rate).map((line) => line.netMinor),
    );
    const hundredths = BigInt(Math.round(Number(rate) * 100));
    return { taxRate: rate, netMinor, taxMinor: (netMinor * hundredths + 5_000n) / 10_000n };
  });
  const netMinor = sum(taxGroups.map((group) => group.netMinor));
  const taxMinor = sum(taxGroups.map((group) => group.taxMinor));
  return { taxGroups, netMinor, taxMinor, grossMinor: netMinor + taxMinor };
}

const sum = (amounts: readonly bigint[]): bigint =>
  amounts.reduce((total, amount) => total + amount, 0n);
