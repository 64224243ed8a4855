import { expect, test } from "vitest";
import {
  beginPush,
  comparedListings,
  correctDrift,
  databaseNow,
  findStock,
  listDriftReports,
  nextBatch,
  recordDrift,
  settleBatch,
  threeWayDiff,
} from "../../src/index.ts";
import { setup } from "./setup.ts";

type Setup = Awaited<ReturnType<typeof setup>>;

/** All three articles are there five times, told and confirmed. */
async function inAgreement(t: Setup): Promise<void> {
  await t.list();
  await t.stock(...t.skus.map((sku) => ({ sku, quantity: 5 })));
  await push(t);
}

async function push(t: Setup): Promise<string[]> {
  const begun = await t.db.transaction((tx) => beginPush(tx, t.account.id));
  if (begun.kind !== "begun") return [];
  const batch = await nextBatch(t.db.kysely, t.account.id, begun.at, 100);
  await t.db.transaction((tx) =>
    settleBatch(
      tx,
      t.account.id,
      batch.map((one) => ({ ...one, outcome: "confirmed" })),
    ),
  );
  return batch.map(({ sku }) => sku);
}

async function reconcile(t: Setup, theirs: Record<string, number>, winner: "ours" | "theirs") {
  const startedAt = await databaseNow(t.db.kysely);
  const compared = await comparedListings(t.db.kysely, t.account.id, startedAt);
  const held = new Map(Object.entries(theirs).map(([sku, n]) => [`x-${sku}`, n]));
  const diff = threeWayDiff(compared, held, { winner, maxCorrections: 2 });
  return t.db.transaction(async (tx) => {
    const accounts = await correctDrift(tx, t.account, diff, compared);
    const found = { startedAt, listed: held.size, compared: compared.length };
    return { accounts, report: await recordDrift(tx, t.account, found, diff) };
  });
}

test("where ours wins, what drifted is told again and the rest is left alone", async () => {
  await using t = await setup();
  await inAgreement(t);
  const { accounts, report } = await reconcile(t, { S0: 4, S1: 5 }, "ours");

  expect(accounts).toMatchObject([{ accountId: t.account.id }]);
  expect(report).toMatchObject({ drifted: 1, corrected: 1, missing: 1, inAgreement: 1 });
  expect(await t.listing("S0")).toMatchObject({ dirty: true, desiredQuantity: 5, corrections: 1 });
  expect(await push(t)).toEqual(["S0"]);
});

test("where theirs wins, it becomes our stock and the other accounts are told", async () => {
  await using t = await setup();
  await inAgreement(t);
  const other = await t.open();
  await t.list(t.skus, other);
  const { accounts } = await reconcile(t, { S0: 4, S1: 5, S2: -3 }, "theirs");

  expect(accounts).toMatchObject([{ accountId: other.id }]);
  expect(await findStock(t.db.kysely, t.companyId, "S0")).toMatchObject({ quantity: 4 });
  expect(await findStock(t.db.kysely, t.companyId, "S2")).toMatchObject({ quantity: 0 });
  expect(await t.listing("S0")).toMatchObject({ dirty: false, confirmedQuantity: 4 });
  expect(await t.listing("S0", other)).toMatchObject({ dirty: true, desiredQuantity: 4 });
});

test("an item that fights back is corrected twice, then given up, until it is found in agreement", async () => {
  await using t = await setup();
  await inAgreement(t);
  const outcomes: object[] = [];
  for (let night = 0; night < 4; night++) {
    const { report } = await reconcile(t, { S0: 1, S1: 5, S2: 5 }, "ours");
    outcomes.push({ corrected: report.corrected, givenUp: report.givenUp });
    await push(t);
  }
  const mended = { corrected: 1, givenUp: 0 };
  const ended = { corrected: 0, givenUp: 1 };
  expect(outcomes).toEqual([mended, mended, ended, ended]);

  await reconcile(t, { S0: 5, S1: 5, S2: 5 }, "ours");
  expect(await t.listing("S0")).toMatchObject({ corrections: 0 });
  const { reports } = await listDriftReports(t.db.kysely, t.account.id);
  expect(reports.map(({ givenUp }) => givenUp)).toEqual([0, 1, 1, 0, 0]);
});

test("half an article, or more than there can be, ends no comparison", async () => {
  await using t = await setup();
  await inAgreement(t);
  await t.stock({ sku: "S2", quantity: 3 });
  await reconcile(t, { S0: 4.5, S1: 1e12, S2: -1.5 }, "ours");
  const noted = await Promise.all(t.skus.map((sku) => t.listing(sku)));
  expect(noted.map(({ confirmedQuantity }) => confirmedQuantity)).toEqual([4, 2_147_483_647, -1]);
});

test("a change that comes after the comparison is not overruled by it", async () => {
  await using t = await setup();
  await inAgreement(t);
  const startedAt = await databaseNow(t.db.kysely);
  const compared = await comparedListings(t.db.kysely, t.account.id, startedAt);
  await t.stock({ sku: "S0", quantity: 9 });
  const rule = { winner: "theirs" as const, maxCorrections: 3 };
  const diff = threeWayDiff(compared, new Map([["x-S0", 4]]), rule);
  await t.db.transaction((tx) => correctDrift(tx, t.account, diff, compared));
  expect(await t.listing("S0")).toMatchObject({ desiredQuantity: 9, dirty: true });
});

test("where both changed and ours wins, theirs is what the next push replaces, and nothing is told twice", async () => {
  await using t = await setup();
  await inAgreement(t);
  await t.stock({ sku: "S0", quantity: 3 });
  const before = await t.listing("S0");
  const theirs = { S0: 4, S1: 5, S2: 5 };
  const { accounts, report } = await reconcile(t, theirs, "ours");

  expect(accounts).toEqual([]);
  expect(report).toMatchObject({ drifted: 1, corrected: 0 });
  expect(await t.listing("S0")).toEqual({ ...before, confirmedQuantity: 4 });
  expect((await reconcile(t, theirs, "ours")).report).toMatchObject({ drifted: 0, pending: 1 });
});

test("what was confirmed after the comparison is not replaced by what was read before", async () => {
  await using t = await setup();
  await inAgreement(t);
  await t.stock({ sku: "S0", quantity: 3 });
  const compared = await comparedListings(
    t.db.kysely,
    t.account.id,
    await databaseNow(t.db.kysely),
  );
  const rule = { winner: "ours" as const, maxCorrections: 3 };
  const diff = threeWayDiff(compared, new Map([["x-S0", 4]]), rule);
  await push(t);
  await t.db.transaction((tx) => correctDrift(tx, t.account, diff, compared));
  expect(await t.listing("S0")).toMatchObject({ dirty: false, confirmedQuantity: 3 });
});

test("what they hold already is not told again", async () => {
  await using t = await setup();
  await inAgreement(t);
  await t.stock({ sku: "S0", quantity: 9 });
  await reconcile(t, { S0: 9, S1: 5, S2: 5 }, "ours");
  expect(await t.listing("S0")).toMatchObject({ dirty: false, confirmedQuantity: 9 });
  expect(await push(t)).toEqual([]);
});
