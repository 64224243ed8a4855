import { nordlicht } from "./companies.ts";
import { type SampleCustomer, sampleCustomers } from "./customers.ts";
import { sampleId, sampleNumbers } from "./identity.ts";
import { type SampleProduct, sampleProducts } from "./products.ts";

export interface SampleLine {
  readonly sku: string;
  readonly description: string;
  /** An exact decimal. */
  readonly quantity: string;
  readonly unit: string;
  /** In the minor unit of the invoice's currency. */
  readonly unitPriceMinor: number;
  /** Percent, an exact decimal. */
  readonly taxRate: string;
}

/** As `PUT /v1/invoices/{id}` takes it. */
export interface SampleInvoice {
  readonly id: string;
  readonly companyId: string;
  readonly customerId: string;
  readonly currency: string;
  readonly locale: string;
  readonly issueDate: string;
  readonly dueDate: string;
  readonly paymentTerms: string;
  readonly notes?: string;
  readonly lines: readonly SampleLine[];
}

/** Minor units of a currency for a cent of the catalogue: yen have no minor unit, dinars a thousandth. */
const perCent: Readonly<Record<string, number>> = {
  CHF: 0.95,
  EUR: 1,
  GBP: 0.86,
  JPY: 1.6,
  KWD: 3.3,
  USD: 1.08,
};

/** Rates as they stand on invoices of a country's customers; who is not named pays none. */
const taxRates: Readonly<Record<string, readonly string[]>> = {
  AT: ["20", "10"],
  CH: ["8.1", "2.6"],
  DE: ["19", "7", "0"],
  US: ["8.81", "0"],
};

const terms: Readonly<Record<string, string>> = {
  de: "Zahlbar innerhalb von 30 Tagen ohne Abzug.",
  en: "Payable within 30 days, without deduction.",
  es: "Pago a 30 días, sin descuento.",
  fr: "Payable à 30 jours, sans escompte.",
};

const quantities = ["1", "2", "3", "5", "10", "12", "24", "0.5", "1.25", "2.75", "100", "7.125"];

function line(product: SampleProduct, customer: SampleCustomer, next: () => number): SampleLine {
  const rates = taxRates[customer.address.countryCode] ?? ["0"];
  const pick = <T>(from: readonly T[], fallback: T): T =>
    from[Math.floor(next() * from.length)] ?? fallback;
  return {
    sku: product.sku,
    description: product.name,
    quantity: pick(quantities, "1"),
    unit: "box",
    unitPriceMinor: Math.round(product.unitPriceMinor * (perCent[customer.currency] ?? 1)),
    taxRate: pick(rates, "0"),
  };
}

function invoiceOf(
  key: string,
  customer: SampleCustomer,
  lineCount: number,
  seed: number,
): SampleInvoice {
  const next = sampleNumbers(seed);
  const products = sampleProducts.filter(({ companyId }) => companyId === customer.companyId);
  const issued = new Date(Date.UTC(2026, Math.floor(next() * 9), 1 + Math.floor(next() * 28)));
  const due = new Date(issued.getTime() + 30 * 86_400_000);
  const day = (date: Date) => date.toISOString().slice(0, 10);
  return {
    id: sampleId(`invoice/${key}`),
    companyId: customer.companyId,
    customerId: customer.id,
    currency: customer.currency,
    locale: customer.locale,
    issueDate: day(issued),
    dueDate: day(due),
    paymentTerms: terms[customer.locale.slice(0, 2)] ?? terms["en"] ?? "",
    lines:
      products.length === 0
        ? []
        : Array.from({ length: lineCount }, () =>
            line(products[Math.floor(next() * products.length)] as SampleProduct, customer, next),
          ),
  };
}

const longLineCount = 1_000;

/** The yearly call-off of a large customer: about 1,000 lines, more than 40 pages. */
export function longInvoice(id = sampleId("invoice/long")): SampleInvoice {
  const customer = sampleCustomers.find(({ companyId }) => companyId === nordlicht.id);
  if (!customer) throw new Error("the sample data has no customer of Nordlicht");
  const invoice = invoiceOf("long", customer, longLineCount, 1_000);
  const lines = invoice.lines.map((each, index) => ({
    ...each,
    // Two printed lines each, as call-offs with a delivery reference have.
    description: `${each.description}, Abruf ${String(index + 1).padStart(4, "0")} aus Rahmenvertrag 2026-114, Werk ${1 + (index % 4)}`,
  }));
  return { ...invoice, id, lines, notes: "Sammelrechnung über alle Abrufe des Jahres." };
}

/** 40 invoices, one of them long; in six currencies and seven locales. */
export const sampleInvoices: readonly SampleInvoice[] = [
  longInvoice(),
  ...Array.from({ length: 39 }, (_, index) => {
    const customer = sampleCustomers[index % sampleCustomers.length] as SampleCustomer;
    return invoiceOf(String(index + 1), customer, 1 + ((index * 7) % 18), index + 1);
  }),
];
