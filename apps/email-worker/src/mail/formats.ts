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
  return moneyFormat(locale, currency, exponent).format(decimal as Intl.StringNumericLiteral);
}

/** Write a calendar day in words, e.g. `24. November 2026` for `2026-11-24`. */
export const formatDay = (day: string, locale: string): string =>
  dayFormat(locale).format(new Date(`${day}T00:00:00Z`));

const moneyFormat = kept(
  (locale: string, currency: string, exponent: number) =>
    new Intl.NumberFormat(locale, {
      style: "currency",
      currency,
      minimumFractionDigits: exponent,
      maximumFractionDigits: exponent,
    }),
);

const dayFormat = kept(
  (locale: string) => new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }),
);

/** More than a company uses; beyond it they are made again. */
const KEPT = 500;

/** Making a format takes a hundred times as long as using it, and there are few: locales by currencies. */
function kept<Args extends readonly unknown[], Format>(make: (...args: Args) => Format) {
  const formats = new Map<string, Format>();
  return (...args: Args): Format => {
    const key = args.join(" ");
    const known = formats.get(key);
    if (known !== undefined) return known;
    if (formats.size >= KEPT) formats.clear();
    const format = make(...args);
    formats.set(key, format);
    return format;
  };
}
