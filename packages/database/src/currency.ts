/**
 * Currencies whose minor unit is not a hundredth. Not taken from `Intl`: it follows CLDR, which has 0 digits
 * for HUF, IDR, COP, IQD and others whose small coins went out of use, so an amount in ISO's minor
 * units would be printed a hundred or a thousand times too large.
 *
 * @see ISO 4217, list one, column "Minor unit"
 */
const UNUSUAL_EXPONENTS: ReadonlyMap<string, number> = new Map([
  ...codes(0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
  ...codes(3, "BHD IQD JOD KWD LYD OMR TND"),
  ...codes(4, "CLF UYW"),
]);

const CODES: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/**
 * Digits after the decimal point of a currency's amounts: EUR 2, JPY 0, KWD 3.
 *
 * @param code ISO 4217, upper case
 * @throws {UnknownCurrencyError}
 */
export function currencyExponent(code: string): number {
  if (!isCurrency(code)) throw new UnknownCurrencyError(code);
  return UNUSUAL_EXPONENTS.get(code) ?? 2;
}

export const isCurrency = (code: string): boolean => CODES.has(code);

export class UnknownCurrencyError extends Error {
  override readonly name = "UnknownCurrencyError";
  readonly currency: string;

  constructor(currency: string) {
    super(`"${currency}" is not a currency: give an ISO 4217 code in upper case, e.g. EUR`);
    this.currency = currency;
  }
}

function codes(exponent: number, list: string): [string, number][] {
  return list.split(" ").map((code) => [code, exponent]);
}
