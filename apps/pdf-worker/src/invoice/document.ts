/**
 * One issued invoice as it is printed: facts only, already resolved and consistent.
 *
 * Amounts are minor units of `currency` (cents, yen, fils), so nothing here is ever rounded.
 * Every string may be hostile: the template escapes all of them.
 */
export interface InvoiceDocument {
  readonly company: IssuingCompany;
  readonly customer: BilledCustomer;
  readonly number: string;
  /** `YYYY-MM-DD`, a day on the company's calendar. */
  readonly issueDate: string;
  /** `YYYY-MM-DD`; absent where the payment terms alone say when. */
  readonly dueDate?: string;
  /** ISO 4217 code. */
  readonly currency: string;
  /** Digits after the decimal point: EUR 2, JPY 0, KWD 3. */
  readonly currencyExponent: number;
  /** BCP 47 tag; its language picks the labels, the whole of it the formats. */
  readonly locale: string;
  readonly lines: readonly InvoiceLine[];
  readonly taxGroups: readonly TaxGroup[];
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
  readonly grossMinor: bigint;
  readonly paymentTerms?: string;
  readonly notes?: string;
}

export interface IssuingCompany {
  readonly legalName: string;
  /** Lines as they stand on an envelope, without the name. */
  readonly address: readonly string[];
  /** Registrations with the label they are printed under, e.g. `USt-IdNr.` and `DE123456789`. */
  readonly taxIds: readonly { readonly label: string; readonly value: string }[];
  readonly iban?: string;
  readonly bic?: string;
  readonly bankName?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly website?: string;
  /** ISO 3166-1 alpha-2; decides A4 or Letter. */
  readonly countryCode: string;
}

export interface BilledCustomer {
  readonly name: string;
  /** Lines as they stand on an envelope, without the name. */
  readonly address: readonly string[];
  readonly taxId?: string;
}

export interface InvoiceLine {
  readonly position: number;
  readonly sku?: string;
  readonly description: string;
  /** Exact decimal, e.g. `2.500`; printed without trailing zeros. */
  readonly quantity: string;
  readonly unit?: string;
  readonly unitPriceMinor: bigint;
  readonly netMinor: bigint;
  /** Percent as an exact decimal, e.g. `19` or `5.5`. */
  readonly taxRate: string;
}

export interface TaxGroup {
  readonly taxRate: string;
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
}
