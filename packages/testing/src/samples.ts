import { randomUUID } from "node:crypto";
import {
  type Company,
  type CompanyFacts,
  type Customer,
  type CustomerFacts,
  type Database,
  type Draft,
  type DraftLine,
  findInvoiceForRendering,
  type IssuedInvoice,
  issueInvoice,
  upsertCompany,
  upsertCustomer,
  upsertDraft,
} from "@ballast/database";

/** A company with everything a letterhead shows. Its IBAN is the example of its standard. */
export const sampleCompany = (overrides: Partial<CompanyFacts> = {}): CompanyFacts => ({
  id: randomUUID(),
  legalName: "Werft & Söhne GmbH",
  address: { lines: ["Hafenstraße 7"], postalCode: "20457", city: "Hamburg", countryCode: "DE" },
  taxIds: [{ label: "USt-IdNr.", value: "DE123456789" }],
  iban: "DE89370400440532013000",
  bic: "COBADEFFXXX",
  bankName: "Musterbank",
  currency: "EUR",
  timeZone: "Europe/Berlin",
  email: "kontor@werft.example",
  phone: "+49 40 1234567",
  website: "https://werft.example",
  mailFromName: "Werft & Söhne",
  mailFromAddress: "rechnung@werft.example",
  numberPrefix: "R-",
  ...overrides,
});

export const sampleCustomer = (
  companyId: string,
  overrides: Partial<CustomerFacts> = {},
): CustomerFacts => ({
  id: randomUUID(),
  companyId,
  name: "Kundin Eins AG",
  address: { lines: ["Ringweg 1"], postalCode: "10115", city: "Berlin", countryCode: "DE" },
  email: "eingang@kundin.example",
  locale: "de-DE",
  taxId: "DE987654321",
  ...overrides,
});

export const sampleLine = (overrides: Partial<DraftLine> = {}): DraftLine => ({
  sku: "SCH-10",
  description: "Schäkel, verzinkt, 10 mm",
  quantity: "3",
  unit: "Stück",
  unitPriceMinor: 1_250n,
  taxRate: "19",
  ...overrides,
});

/** Two lines at two rates: 37.50 at 19 % and 12.35 at 7 %, 57.84 in all. */
export const sampleDraft = (
  customer: Pick<CustomerFacts, "id" | "companyId">,
  overrides: Partial<Draft> = {},
): Draft => ({
  id: randomUUID(),
  companyId: customer.companyId,
  customerId: customer.id,
  currency: "EUR",
  locale: "de-DE",
  paymentTerms: "Zahlbar innerhalb von 14 Tagen ohne Abzug.",
  lines: [
    sampleLine(),
    sampleLine({
      sku: "BUCH-1",
      description: "Knotenfibel",
      quantity: "0.5",
      unitPriceMinor: 2_469n,
      taxRate: "7",
    }),
  ],
  ...overrides,
});

export interface SeededInvoice {
  readonly company: Company;
  readonly customer: Customer;
  readonly invoice: IssuedInvoice;
}

/**
 * Store a company, a customer and an issued invoice with lines.
 *
 * @param overrides what is to differ; give `company.id` or `customer.id` to use one twice
 */
export async function seedIssuedInvoice(
  db: Pick<Database, "transaction">,
  overrides: {
    readonly company?: Partial<CompanyFacts>;
    readonly customer?: Partial<CustomerFacts>;
    readonly invoice?: Partial<Draft>;
  } = {},
): Promise<SeededInvoice> {
  return await db.transaction(async (tx) => {
    const company = await upsertCompany(tx, sampleCompany(overrides.company));
    const customer = await upsertCustomer(tx, sampleCustomer(company.id, overrides.customer));
    const draft = await upsertDraft(tx, sampleDraft(customer, overrides.invoice));
    await issueInvoice(tx, company.id, draft.id);
    const invoice = await findInvoiceForRendering(tx, company.id, draft.id);
    if (invoice === undefined) throw new Error(`invoice ${draft.id} was issued and is not there`);
    return { company, customer, invoice };
  });
}
