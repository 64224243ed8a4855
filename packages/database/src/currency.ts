/** Fraction digits by ISO 4217 code, as the ICU data of this Node has them. */
const EXPONENTS: ReadonlyMap<string, number> = new Map(
  Intl.supportedValuesOf("currency").map((code) => [code, fractionDigits(code)]),
);

function fractionDigits(code: string): number {
  const format = new Intl.NumberFormat("en", { style: "currency", currency: code });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}

/**
 * Digits after the decimal point of a currency's amounts: EUR 2, JPY 0, KWD 3.
 *
 * @param code ISO 4217, upper case
 * @throws {UnknownCurrencyError}
 */
export function currencyExponent(code: string): number {
  const exponent = EXPONENTS.get(code);
  if (exponent === undefined) throw new UnknownCurrencyError(code);
  return exponent;
}

export const isCurrency = (code: string): boolean => EXPONENTS.has(code);

export class UnknownCurrencyError extends Error {
  override readonly name = "UnknownCurrencyError";
  readonly currency: string;

  constructor(currency: string) {
    super(`"${currency}" is not a currency: give an ISO 4217 code in upper case, e.g. EUR`);
    this.currency = currency;
  }
}
