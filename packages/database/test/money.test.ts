import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AmountTooLargeError,
  currencyExponent,
  formatDecimal,
  InvalidDecimalError,
  invoiceTotals,
  lineNetMinor,
  MAX_AMOUNT_MINOR,
  type PricedLine,
  parseQuantity,
  parseTaxRate,
  roundCommercially,
  UnknownCurrencyError,
} from "../src/index.ts";

const decimal = (maxUnits: bigint, scale: number) =>
  fc.bigInt({ min: -maxUnits, max: maxUnits }).map((units) => formatDecimal({ units, scale }));
const line: fc.Arbitrary<PricedLine> = fc.record({
  quantity: decimal(10n ** 10n, 6),
  unitPriceMinor: fc.bigInt({ min: -(10n ** 6n), max: 10n ** 6n }),
  taxRate: fc.constantFrom("0", "5.5", "7", "7.7", "19", "19.00", "25"),
});
const lines = fc.array(line, { maxLength: 30 });
const negated = (one: PricedLine): PricedLine => ({ ...one, unitPriceMinor: -one.unitPriceMinor });
const magnitude = (n: bigint) => (n < 0n ? -n : n);

describe("totals", () => {
  test("are the sums of their groups, and gross is net plus tax", () => {
    fc.assert(
      fc.property(lines, (all) => {
        const { groups, netMinor, taxMinor, grossMinor } = invoiceTotals(all);
        expect(groups.reduce((sum, group) => sum + group.netMinor, 0n)).toBe(netMinor);
        expect(groups.reduce((sum, group) => sum + group.taxMinor, 0n)).toBe(taxMinor);
        expect(all.reduce((sum, one) => sum + lineNetMinor(one), 0n)).toBe(netMinor);
        expect(netMinor + taxMinor).toBe(grossMinor);
      }),
    );
  });

  test("do not depend on the order of lines", () => {
    const shuffled = lines.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(invoiceTotals(other)).toEqual(invoiceTotals(one));
      }),
    );
  });

  test("of a credit note mirror those of its invoice", () => {
    fc.assert(
      fc.property(lines, (all) => {
        const credit = invoiceTotals(all.map(negated));
        const invoice = invoiceTotals(all);
        expect(credit.grossMinor).toBe(-invoice.grossMinor);
        expect(credit.taxMinor).toBe(-invoice.taxMinor);
      }),
    );
  });

  test("put equal rates into one group, however they are written", () => {
    const { groups } = invoiceTotals([
      { quantity: "1", unitPriceMinor: 100n, taxRate: "7.70" },
      { quantity: "1", unitPriceMinor: 100n, taxRate: "7.7" },
      { quantity: "1", unitPriceMinor: 100n, taxRate: "25" },
    ]);
    expect(groups.map(({ taxRate, netMinor }) => [taxRate, netMinor])).toEqual([
      ["25", 100n],
      ["7.7", 200n],
    ]);
  });

  test("round tax once per group, not per line", () => {
    // 19 % of 0.02 is 0.0038, which alone rounds to nothing; of 0.06 it is 0.0114.
    const cheap = { quantity: "1", unitPriceMinor: 2n, taxRate: "19" };
    expect(invoiceTotals([cheap, cheap, cheap]).taxMinor).toBe(1n);
  });
});

describe("a line", () => {
  test("is off its exact amount by at most half a minor unit", () => {
    fc.assert(
      fc.property(line, (one) => {
        const { units, scale } = parseQuantity(one.quantity);
        const exact = units * one.unitPriceMinor; // in 10^-6 minor units
        const error = magnitude(lineNetMinor(one) * 10n ** BigInt(scale) - exact);
        expect(error * 2n <= 10n ** BigInt(scale)).toBe(true);
      }),
    );
  });

  test.each([
    [5n, 1n],
    [-5n, -1n],
    [4n, 0n],
    [-4n, 0n],
    [15n, 2n],
    [25n, 3n], // where banker's rounding says 2
    [-25n, -3n],
  ])("%s tenths round half away from zero, to %s", (units, rounded) => {
    expect(roundCommercially({ units, scale: 1 })).toBe(rounded);
  });

  test("beyond fifteen digits is refused", () => {
    const huge = { quantity: "999999999999", unitPriceMinor: 10_000n };
    expect(() => lineNetMinor(huge)).toThrow(AmountTooLargeError);
    expect(lineNetMinor({ quantity: "1", unitPriceMinor: MAX_AMOUNT_MINOR })).toBe(
      MAX_AMOUNT_MINOR,
    );
  });

  test("is refused for a group too, where another group takes the total back below it", () => {
    const unitPriceMinor = 600_000_000_000_000n; // twice that is beyond
    const sold = { quantity: "1", unitPriceMinor, taxRate: "19" };
    const credited = { quantity: "-1", unitPriceMinor, taxRate: "18.99" };
    expect(() => invoiceTotals([sold, sold, credited, credited])).toThrow(AmountTooLargeError);
  });
});

describe("a decimal", () => {
  test("is written as it was read, but for zeros that say nothing", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), (units) => {
        const text = formatDecimal({ units, scale: 6 });
        expect(parseQuantity(text)).toEqual({ units, scale: 6 });
        expect(text).not.toMatch(/\.\d*0$|\.$/);
      }),
    );
    expect(formatDecimal(parseQuantity("-007.2500"))).toBe("-7.25");
  });

  test.each(["", "1,5", "1e3", " 1", "+1", ".5", "1.", "0x1", "NaN", "1.1234567", "1234567890123"])(
    '"%s" is no quantity',
    (text) => expect(() => parseQuantity(text)).toThrow(InvalidDecimalError),
  );

  test.each(["-1", "100.01", "19.123"])('"%s" is no tax rate', (text) =>
    expect(() => parseTaxRate(text)).toThrow(InvalidDecimalError),
  );
});

test.each([
  ["EUR", 2],
  ["JPY", 0],
  ["KWD", 3],
  ["CLP", 0],
  ["CHF", 2],
  // ISO 4217 has them so; CLDR, which Intl follows, rounds cash to 0 digits.
  ["HUF", 2],
  ["COP", 2],
  ["IDR", 2],
  ["PKR", 2],
  ["IQD", 3],
  ["TND", 3],
])("%s has %s digits after the point", (code, exponent) => {
  expect(currencyExponent(code)).toBe(exponent);
});

test.each(["XXQ", "eur", "", "EURO"])('"%s" is no currency', (code) => {
  expect(() => currencyExponent(code)).toThrow(UnknownCurrencyError);
});
