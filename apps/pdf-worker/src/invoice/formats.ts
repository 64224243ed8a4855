/** How one invoice writes its numbers, amounts and dates. */
export interface Formats {
  /** An amount with its currency, e.g. `1.234,50 €`. */
  money(minor: bigint): string;
  /** An amount for a column whose head names the currency, e.g. `1.234,50`. */
  amount(minor: bigint): string;
  /** An exact decimal without trailing zeros, e.g. `2,5` for `2.500`. */
  quantity(decimal: string): string;
  /** A percentage, e.g. `19 %` for `19.00`. */
  percent(decimal: string): string;
  /** A calendar day, e.g. `24. November 2026` for `2026-11-24`. */
  date(day: string): string;
}

const DECIMAL = /^-?\d+(\.\d+)?$/;
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

/** More decimals than any quantity or rate has; Intl's own default of 3 would round. */
const ALL_DECIMALS = 20;

/**
 * Formats of one locale and currency. Numbers reach Intl as decimal strings, which it formats
 * exactly; a float never stands between a minor unit and its digits.
 *
 * @param locale BCP 47 tag
 * @param currency ISO 4217 code
 * @param exponent the currency's decimals, which overrule Intl's own table
 */
export function formatsFor(locale: string, currency: string, exponent: number): Formats {
  const decimals = { minimumFractionDigits: exponent, maximumFractionDigits: exponent };
  const money = new Intl.NumberFormat(locale, { style: "currency", currency, ...decimals });
  const amount = new Intl.NumberFormat(locale, decimals);
  const quantity = new Intl.NumberFormat(locale, { maximumFractionDigits: ALL_DECIMALS });
  const percent = new Intl.NumberFormat(locale, {
    style: "unit",
    unit: "percent",
    maximumFractionDigits: ALL_DECIMALS,
  });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" });

  return {
    money: (minor) => money.format(minorToDecimal(minor, exponent)),
    amount: (minor) => amount.format(minorToDecimal(minor, exponent)),
    quantity: (decimal) => quantity.format(exact(decimal)),
    percent: (decimal) => percent.format(exact(decimal)),
    date: (day) => date.format(midnight(day)),
  };
}

/** Write minor units as a decimal, e.g. `-0.05` for `-5n` with exponent 2. */
export function minorToDecimal(minor: bigint, exponent: number): Intl.StringNumericLiteral {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(exponent + 1, "0");
  const whole = digits.slice(0, digits.length - exponent);
  const fraction = exponent === 0 ? "" : `.${digits.slice(-exponent)}`;
  return `${minor < 0n ? "-" : ""}${whole}${fraction}` as Intl.StringNumericLiteral;
}

/** An IBAN in groups of four, held together by no-break spaces, as ISO 13616 prints it on paper. */
export const groupIban = (iban: string): string =>
  (
    iban
      .replace(/\s+/g, "")
      .toUpperCase()
      .match(/.{1,4}/gu) ?? []
  ).join("\u00a0");

function exact(decimal: string): Intl.StringNumericLiteral {
  if (!DECIMAL.test(decimal)) throw new RangeError(`"${decimal}" is not an exact decimal`);
  return decimal as Intl.StringNumericLiteral;
}

function midnight(day: string): Date {
  const [, year, month, date] = DAY.exec(day) ?? [];
  const parsed = new Date(`${year}-${month}-${date}T00:00:00Z`);
  if (Number.isNaN(parsed.getTime())) throw new RangeError(`"${day}" is not a day as YYYY-MM-DD`);
  return parsed;
}
