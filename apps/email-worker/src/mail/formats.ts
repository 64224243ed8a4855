/**
 * Write an amount with its currency, e.g. `1.234,50 €`. Digits reach Intl as a decimal string, which
 * it formats exactly; no float stands between.
 *
 * @param minor in the currency's minor unit
 * @param exponent the currency's decimals: EUR 2, JPY 0, KWD 3
 */
export function formatMoney(
  minor: bigint,
  currency: string,
  exponent: number,
  locale: string,
): string {
  const digits = String(minor < 0n ? -minor : minor).padStart(exponent + 1, "0");
  const point = digits.length - exponent;
  const fraction = exponent === 0 ? "" : `.${digits.slice(point)}`;
  const decimal = `${minor < 0n ? "-" : ""}${digits.slice(0, point)}${fraction}`;
  return new Intl.NumberFormat(locale, {
    style: "currency",
    currency,
    minimumFractionDigits: exponent,
    maximumFractionDigits: exponent,
  }).format(decimal as Intl.StringNumericLiteral);
}

/** Write a calendar day in words, e.g. `24. November 2026` for `2026-11-24`. */
export const formatDay = (day: string, locale: string): string =>
  new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }).format(
    new Date(`${day}T00:00:00Z`),
  );
