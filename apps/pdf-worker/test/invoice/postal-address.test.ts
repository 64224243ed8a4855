import { expect, test } from "vitest";
import { addressLines } from "../../src/invoice/postal-address.ts";

const place = { lines: ["1 High Street"], postalCode: "12345", city: "Springfield" };

test.each([
  ["DE", undefined, ["12345 Springfield"]],
  ["IT", "RM", ["12345 Springfield, RM"]],
  ["US", "OR", ["Springfield, OR 12345"]],
  ["GB", undefined, ["Springfield", "12345"]],
])("the place is written as in %s", (countryCode, region, expected) => {
  const lines = addressLines({ ...place, countryCode, region }, countryCode, "en-GB");

  expect(lines).toEqual(["1 High Street", ...expected]);
});

test("the country is named abroad, in the document's language", () => {
  expect(addressLines({ ...place, countryCode: "CH" }, "DE", "fr-FR").at(-1)).toBe("Suisse");
  expect(addressLines({ ...place, countryCode: "CH" }, "CH", "fr-FR").at(-1)).not.toBe("Suisse");
});
