/** A decimal number held exactly: `units / 10 ** scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

export const QUANTITY_INTEGER_DIGITS = 12;
export const QUANTITY_FRACTION_DIGITS = 6;
/** Quantities are counted in millionths. */
const QUANTITY_SCALE = QUANTITY_FRACTION_DIGITS;
/** Tax rates are counted in hundredths of a percent. */
const RATE_SCALE = 2;

/**
 * Read a quantity, e.g. `"2"`, `"0.125"`, `"-3"`: at most 12 digits before the point and 6 after.
 *
 * @returns millionths
 * @throws {InvalidDecimalError}
 */
export const parseQuantity = (text: string): Decimal =>
  parseDecimal("quantity", text, QUANTITY_INTEGER_DIGITS, QUANTITY_SCALE);

/**
 * Read a tax rate in percent, e.g. `"19"`, `"7.7"`: from 0 to 100 with at most 2 digits after the point.
 *
 * @returns hundredths of a percent
 * @throws {InvalidDecimalError}
 */
export function parseTaxRate(text: string): Decimal {
  const rate = parseDecimal("tax rate", text, 3, RATE_SCALE);
  if (rate.units < 0n || rate.units > 10_000n)
    throw new InvalidDecimalError("tax rate", text, "it lies in 0 to 100");
  return rate;
}

/** Write a decimal; trailing zeros after the point are left out. */
export function formatDecimal({ units, scale }: Decimal): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  const whole = digits.slice(0, digits.length - scale);
  return `${units < 0n ? "-" : ""}${whole}${scale > 0 && fraction !== "" ? `.${fraction}` : ""}`;
}

function parseDecimal(what: string, text: string, maxInteger: number, scale: number): Decimal {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null)
    throw new InvalidDecimalError(what, text, "write digits with a point, e.g. 12.5");
  const [, sign = "", integer = "", fraction = ""] = match;
  if (integer.replace(/^0+/, "").length > maxInteger || fraction.length > scale)
    throw new InvalidDecimalError(
      what,
      text,
      `at most ${maxInteger} digits before the point and ${scale} after`,
    );
  const units = BigInt(integer + fraction.padEnd(scale, "0"));
  return { units: sign === "-" ? -units : units, scale };
}

export class InvalidDecimalError extends Error {
  override readonly name = "InvalidDecimalError";

  constructor(what: string, text: string, remedy: string) {
    super(`${what} "${text.slice(0, 40)}" cannot be used: ${remedy}`);
  }
}
