import { expect, test } from "vitest";
import { sharedQuotaOf } from "../../src/adapters/shared-quota.ts";

const credentials = { clientId: "the-app", clientSecret: "secret-1", refreshToken: "seller-1" };
const amazon = { region: "eu", marketplaceId: "A1PA6795UKMFR9", sellerId: "A2EXAMPLE" };

test("sellers of one application at Amazon share its calls a second, not their refusals", () => {
  const one = sharedQuotaOf("amazon", { settings: amazon, credentials });
  const two = sharedQuotaOf("amazon", {
    settings: { ...amazon, sellerId: "A3EXAMPLE" },
    credentials: { ...credentials, refreshToken: "seller-2" },
  });
  expect(one).toMatchObject({
    quota: { capacity: 500, restorePerSecond: 500 },
    isRefusedTogether: false,
  });
  expect(two).toEqual(one);
  const other = { ...credentials, clientId: "another-app" };
  expect(sharedQuotaOf("amazon", { settings: amazon, credentials: other })?.remote).not.toEqual(
    one?.remote,
  );
  expect(JSON.stringify(one)).not.toContain("the-app");
});

test("an application's day at eBay is spread over the day, and its refusal is one for all", () => {
  expect(sharedQuotaOf("ebay", { settings: { dailyCalls: 86_400 }, credentials })).toMatchObject({
    quota: { capacity: 3_600, restorePerSecond: 1 },
    isRefusedTogether: true,
  });
  expect(sharedQuotaOf("ebay", { settings: {}, credentials })).not.toHaveProperty("quota");
});

test("where a marketplace has no quota of applications there is none", () => {
  expect(sharedQuotaOf("shopify", { settings: {}, credentials: {} })).toBeUndefined();
});
