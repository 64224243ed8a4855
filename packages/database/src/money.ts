import { type Decimal, formatDecimal, parseQuantity, parseTaxRate } from "./decimal.ts";

/** One line as its amounts are computed from. */
export interface PricedLine {
  /** Exact decimal, see {@link parseQuantity}. */
  readonly quantity: string;
  /** In minor units of the invoice's currency: cents, yen, fils. */
  readonly unitPriceMinor: bigint;
  /** Percent, exact decimal, e.g. `"19"` or `"7.70"`. */
  readonly taxRate: string;
}

/** All lines of one tax rate. */
export interface TaxGroup {
  /** Percent without trailing zeros, e.g. `"7.7"`. */
  readonly taxRate: string;
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
}

export interface Totals {
  /** Highest rate first. */
  readonly groups: readonly TaxGroup[];
  readonly netMinor: bigint;
  readonly taxMinor: bigint;
  readonly grossMinor: bigint;
}

/** No amount may exceed this many minor units: 15 digits, far inside PostgreSQL's bigint. */
export const MAX_AMOUNT_MINOR = 999_999_999_999_999n;

/**
 * Divide by a power of ten and round half away from zero: 0.5 → 1, -0.5 → -1, 1.4 → 1.
 *
 * This is commercial rounding (kaufmännisches Runden, DIN 1333), what invoices in most countries are
 * checked against; banker's rounding would be off by one on every second half.
 */
export function roundCommercially({ units, scale }: Decimal): bigint {
  const divisor = 10n ** BigInt(scale);
  const magnitude = units < 0n ? -units : units;
  const rounded = (magnitude + divisor / 2n) / divisor;
  return units < 0n ? -rounded : rounded;
}

/**
 * Quantity × unit price, rounded once.
 *
 * @throws {InvalidDecimalError} for a quantity that cannot be read
 * @throws {AmountTooLargeError}
 */
export function lineNetMinor(line: Pick<PricedLine, "quantity" | "unitPriceMinor">): bigint {
  const { units, scale } = parseQuantity(line.quantity);
  return bounded(roundCommercially({ units: units * line.unitPriceMinor, scale }));
}

/**
 * Sum the lines by tax rate and the rates to totals.
 *
 * Tax is rounded once per rate, on the sum of that rate's rounded lines; totals are sums of groups,
 * so what is printed adds up. The order of lines does not matter.
 *
 * @throws {InvalidDecimalError} for a quantity or rate that cannot be read
 * @throws {AmountTooLargeError}
 */
export function invoiceTotals(lines: readonly PricedLine[]): Totals {
  const netByRate = new Map<bigint, bigint>();
  for (const line of lines) {
    const rate = parseTaxRate(line.taxRate).units;
    netByRate.set(rate, (netByRate.get(rate) ?? 0n) + lineNetMinor(line));
  }
  const groups = [...netByRate]
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .map(([rate, netMinor]) => ({
      taxRate: formatDecimal({ units: rate, scale: 2 }),
      // A group is printed too: credits at another rate may hide how large it is.
      netMinor: bounded(netMinor),
      // Hundredths of a percent: four digits in all.
      taxMinor: roundCommercially({ units: netMinor * rate, scale: 4 }),
    }));
  const netMinor = bounded(sum(groups.map((group) => group.netMinor)));
  const taxMinor = bounded(sum(groups.map((group) => group.taxMinor)));
  return { groups, netMinor, taxMinor, grossMinor: bounded(netMinor + taxMinor) };
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((a, b) => a + b, 0n);

function bounded(amount: bigint): bigint {
  if (amount > MAX_AMOUNT_MINOR || amount < -MAX_AMOUNT_MINOR)
    throw new AmountTooLargeError(amount);
  return amount;
}

export class AmountTooLargeError extends Error {
  override readonly name = "AmountTooLargeError";

  constructor(amount: bigint) {
    super(`amount ${amount} exceeds ${MAX_AMOUNT_MINOR} minor units: split the invoice`);
  }
}
