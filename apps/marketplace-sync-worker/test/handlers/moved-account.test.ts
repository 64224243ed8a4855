import { startMarketplaceDouble } from "@ballast/testing";
import { expect, test } from "vitest";
import { setup } from "./setup.ts";

test("an account that moved since its row was read tells its new credentials to its new address alone", async () => {
  await using t = await setup({ market: { stock: { SKU0: 1 } } });
  await using next = await startMarketplaceDouble({ stock: { SKU0: 7 } });
  await t.moveAccount(next);
  const opened = await t.openAccount(t.account);
  const { items } = await opened.list(undefined, new AbortController().signal);
  expect(items).toMatchObject([{ quantity: 7 }]);
  expect(t.market.counts().calls).toBe(0);
});
