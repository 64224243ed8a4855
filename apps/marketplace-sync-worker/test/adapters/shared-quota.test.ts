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

test("who points to another address, or tells another quota, shares nothing with the others", () => {
  const ebay = (settings: object) => sharedQuotaOf("ebay", { settings, credentials })?.remote;
  const ours = ebay({});
  expect(ebay({ endpoint: "https://ebay.evil.example" })).not.toEqual(ours);
  expect(ebay({ dailyCalls: 24 })).not.toEqual(ours);
  const proxied = ebay({ endpoint: "https://proxy.example/one" });
  expect(ebay({ endpoint: "https://proxy.example/two" })).toEqual(proxied);

  const sp = (more: object) =>
    sharedQuotaOf("amazon", { settings: { ...amazon, ...more }, credentials })?.remote;
  expect(sp({ endpoint: "https://amazon.evil.example" })).not.toEqual(sp({}));
  expect(sp({ appRequestsPerSecond: 0.001 })).not.toEqual(sp({}));
});

test("where a marketplace has no quota of applications there is none", () => {
  expect(sharedQuotaOf("shopify", { settings: {}, credentials: {} })).toBeUndefined();
});
