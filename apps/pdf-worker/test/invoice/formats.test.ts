import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatsFor, groupIban, minorToDecimal } from "../../src/invoice/formats.ts";

/** Which blank and which apostrophe Intl writes changes with its data, and is not ours to hold. */
const plain = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, " ").replaceAll("’", "'");

describe("an invoice's locale decides how it writes", () => {
  test.each([
    ["en-GB", "€1,234,567.89", "1,234,567.89", "2.5", "19%", "24 November 2026"],
    ["en-US", "€1,234,567.89", "1,234,567.89", "2.5", "19%", "November 24, 2026"],
    ["de-DE", "1.234.567,89 €", "1.234.567,89", "2,5", "19 %", "24. November 2026"],
    ["de-AT", "€ 1.234.567,89", "1 234 567,89", "2,5", "19 %", "24. November 2026"],
    ["de-CH", "EUR 1'234'567.89", "1'234'567.89", "2.5", "19%", "24. November 2026"],
    ["fr-FR", "1 234 567,89 €", "1 234 567,89", "2,5", "19 %", "24 novembre 2026"],
    ["es-ES", "1.234.567,89 €", "1.234.567,89", "2,5", "19 %", "24 de noviembre de 2026"],
  ])("%s", (locale, money, amount, quantity, percent, date) => {
    const formats = formatsFor(locale, "EUR", 2);

    expect(plain(formats.money(123_456_789n))).toBe(money);
    expect(plain(formats.amount(123_456_789n))).toBe(amount);
    expect(plain(formats.quantity("2.500"))).toBe(quantity);
    expect(plain(formats.percent("19.00"))).toBe(percent);
    expect(formats.date("2026-11-24")).toBe(date);
  });
});

test.each([
  ["JPY", 0, "JP¥172,176"],
  ["KWD", 3, "KWD 172.176"],
  ["CHF", 2, "CHF 1,721.76"],
])("%s has its own number of decimals", (currency, exponent, expected) => {
  expect(plain(formatsFor("en-GB", currency, exponent).money(172_176n))).toBe(expected);
});

test("every amount prints exactly its digits, far beyond what a float holds", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      fc.integer({ min: 0, max: 4 }),
      (minor, exponent) => {
        const printed = formatsFor("en-US", "USD", exponent).amount(minor);
        const [whole = "", fraction = ""] = printed.replaceAll(",", "").split(".");

        expect(fraction).toHaveLength(exponent);
        expect(BigInt(whole + fraction)).toBe(minor);
        expect(printed.startsWith("-")).toBe(minor < 0n);
      },
    ),
  );
});

test("cents below one unit keep their zeros and their sign", () => {
  expect(minorToDecimal(-5n, 2)).toBe("-0.05");
  expect(minorToDecimal(0n, 3)).toBe("0.000");
  expect(minorToDecimal(12n, 0)).toBe("12");
});

test("a quantity keeps every decimal it has", () => {
  expect(formatsFor("en-GB", "EUR", 2).quantity("0.000123")).toBe("0.000123");
});

test.each(["1e3", "", "NaN", "1,5", "0x10"])("%j is not taken for a number", (decimal) => {
  expect(() => formatsFor("en-GB", "EUR", 2).quantity(decimal)).toThrow(RangeError);
});

test("an IBAN is grouped by four and does not break", () => {
  expect(groupIban("de02 1203 00000000202051")).toBe(
    "DE02\u00a01203\u00a00000\u00a00000\u00a02020\u00a051",
  );
});
