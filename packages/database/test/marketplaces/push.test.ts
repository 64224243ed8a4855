import { expect, test } from "vitest";
import {
  beginPush,
  endPush,
  type ListingToPush,
  listListings,
  nextBatch,
  type PushOutcome,
  putListings,
  setAccountPaused,
  settleBatch,
} from "../../src/index.ts";
import { setup } from "./setup.ts";

type Setup = Awaited<ReturnType<typeof setup>>;

const begin = (t: Setup) => t.db.transaction((tx) => beginPush(tx, t.account.id));
const end = (t: Setup, goesOn = false) =>
  t.db.transaction((tx) => endPush(tx, t.account.id, { goesOn, maxBatch: 100 }));
const settle = (
  t: Setup,
  batch: readonly ListingToPush[],
  outcome: PushOutcome["outcome"] = "confirmed",
) =>
  t.db.transaction((tx) =>
    settleBatch(
      tx,
      t.account.id,
      batch.map((one) => ({ ...one, outcome, code: "some_code", message: "some words" })),
    ),
  );
async function take(t: Setup, limit = 100): Promise<ListingToPush[]> {
  const begun = await begin(t);
  if (begun.kind !== "begun") throw new Error(`the push is ${begun.kind}`);
  return nextBatch(t.db.kysely, t.account.id, begun.at, limit);
}

test("urgent listings are taken first, then those that have waited longest, each once in a push", async () => {
  await using t = await setup();
  await t.list();
  await t.stock({ sku: "S2", quantity: 1 });
  await t.stock({ sku: "S1", quantity: 1 });
  await t.stock({ sku: "S0", quantity: 1, urgent: true });
  const begun = await begin(t);
  if (begun.kind !== "begun") throw new Error(begun.kind);

  const first = await nextBatch(t.db.kysely, t.account.id, begun.at, 2);
  expect(first.map(({ sku }) => sku)).toEqual(["S0", "S2"]);
  await settle(t, first);
  await t.stock({ sku: "S0", quantity: 2 });
  const second = await nextBatch(t.db.kysely, t.account.id, begun.at, 2);
  expect(second.map(({ sku }) => sku)).toEqual(["S1"]);
});

test("a change during the call stays dirty, and what was confirmed is noted", async () => {
  await using t = await setup();
  await t.list();
  await t.stock({ sku: "S0", quantity: 1, urgent: true });
  const batch = await take(t);
  await t.stock({ sku: "S0", quantity: 2 });
  await settle(t, batch);
  expect(await t.listing("S0")).toMatchObject({
    dirty: true,
    urgent: true,
    confirmedQuantity: 1,
    desiredQuantity: 2,
  });
  await settle(t, await take(t));
  expect(await t.listing("S0")).toMatchObject({
    dirty: false,
    urgent: false,
    confirmedQuantity: 2,
  });
});

test("the window of an account holds a push back until its end, and a batch left over does not wait for it", async () => {
  await using t = await setup();
  await t.db.kysely
    .updateTable("marketplaceAccounts")
    .set({ minPushIntervalMs: 3_600_000 })
    .execute();
  await t.list();
  await t.stock({ sku: "S0", quantity: 1 });
  const batch = await take(t);
  await settle(t, batch);
  expect(await end(t)).toBeNull();

  const { accounts } = await t.stock({ sku: "S0", quantity: 2 });
  expect(accounts[0]?.dueAt?.getTime()).toBeGreaterThan(Date.now() + 3_000_000);
  expect(await begin(t)).toMatchObject({ kind: "coalescing" });
  expect((await end(t))?.dueAt.getTime()).toBeGreaterThan(Date.now() + 3_000_000);

  expect((await end(t, true))?.dueAt.getTime()).toBeLessThan(Date.now() + 60_000);
  expect(await begin(t)).toMatchObject({ kind: "begun" });
});

test("an item that failed waits before it is tried again, and holds up no other", async () => {
  await using t = await setup();
  await t.list();
  await t.stock({ sku: "S0", quantity: 1 });
  await settle(t, await take(t), "failed");
  const failed = await t.listing("S0");
  expect(failed).toMatchObject({ dirty: true, failedCode: "some_code" });
  expect(failed.retryAt?.getTime()).toBeGreaterThan(Date.now());
  expect(await begin(t)).toEqual({ kind: "nothing" });
  expect(await end(t)).toMatchObject({ dueAt: failed.retryAt, onlyFailed: true });

  await t.stock({ sku: "S1", quantity: 1 });
  expect((await take(t)).map(({ sku }) => sku)).toEqual(["S1"]);
});

test("an item that was refused for good is parked until it is listed anew", async () => {
  await using t = await setup();
  await t.list();
  await t.stock({ sku: "S0", quantity: 1 });
  await settle(t, await take(t), "rejected");
  const { accounts } = await t.stock({ sku: "S0", quantity: 2 });
  expect(accounts).toEqual([]);
  expect(await begin(t)).toEqual({ kind: "nothing" });
  const parked = await listListings(t.db.kysely, t.account.id, { state: "parked" });
  expect(parked.listings).toMatchObject([{ sku: "S0", rejectedCode: "some_code" }]);

  await t.db.transaction((tx) => putListings(tx, t.account, [{ sku: "S0", externalId: "right" }]));
  expect(await take(t)).toMatchObject([{ externalId: "right", quantity: 2 }]);
});

test("an outcome under an id that the listing has no longer is not believed", async () => {
  await using t = await setup();
  await t.list();
  await t.stock({ sku: "S0", quantity: 1 });
  const batch = await take(t);
  await t.db.transaction((tx) => putListings(tx, t.account, [{ sku: "S0", externalId: "other" }]));
  await settle(t, batch);
  expect(await t.listing("S0")).toMatchObject({ dirty: true, confirmedQuantity: null });
});

test("what the marketplace was not asked about is taken again in the same push", async () => {
  await using t = await setup();
  await t.list();
  await t.stock({ sku: "S0", quantity: 1 });
  const begun = await begin(t);
  if (begun.kind !== "begun") throw new Error(begun.kind);
  const batch = await nextBatch(t.db.kysely, t.account.id, begun.at, 10);
  expect(await nextBatch(t.db.kysely, t.account.id, begun.at, 10)).toEqual([]);
  await settle(t, batch, "untried");
  expect(await nextBatch(t.db.kysely, t.account.id, begun.at, 10)).toHaveLength(1);
});

test("a paused account begins no push, and changes of it ask for none", async () => {
  await using t = await setup();
  await t.list();
  await t.db.transaction((tx) => setAccountPaused(tx, t.account.id, true));
  expect((await t.stock({ sku: "S0", quantity: 1 })).accounts).toEqual([]);
  expect(await begin(t)).toEqual({ kind: "paused" });
});
