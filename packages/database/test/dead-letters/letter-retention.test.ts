import { randomUUID } from "node:crypto";
import { createTestDatabase } from "@ballast/testing";
import { expect, test, vi } from "vitest";
import { createReplay, keepLetters, listActions } from "../../src/index.ts";

/** A machine may be slow for a minute. */
vi.setConfig({ testTimeout: 90_000 });

const DAY_MS = 86_400_000;
const GENEROUS = { keepDays: 90, keepBytes: 1_000_000 };

interface Letter {
  readonly days: number;
  readonly state?: "open" | "discarded";
  readonly cleared?: boolean;
  readonly bytes?: number;
  /** One of its own rather than the one all others are of. */
  readonly company?: string;
}

/** Letters named by a letter each, in a database of their own. */
async function setup(letters: Readonly<Record<string, Letter>>) {
  const { db, ...database } = await createTestDatabase();
  const companyId = randomUUID();
  const names = new Map<string, string>();
  for (const [
    name,
    { days, state = "open", cleared = false, bytes = 100, company },
  ] of Object.entries(letters)) {
    const runId = randomUUID();
    names.set(runId, name);
    const diedAt = new Date(Date.now() - days * DAY_MS);
    await db.kysely
      .insertInto("deadLetters")
      .values({
        runId,
        queue: "pdf",
        engineJobId: runId,
        job: "render-invoice",
        version: 1,
        payload: "{}",
        companyId: company ?? companyId,
        subject: `invoice:${name}`,
        priority: 0,
        code: null,
        message: null,
        stack: null,
        worker: null,
        traceparent: null,
        attemptsMade: 1,
        generation: 1,
        replayOf: null,
        origin: "request",
        askedAt: diedAt,
        diedAt,
        sizeBytes: bytes,
        fingerprint: null,
        incidentId: null,
        state,
        settledAt: state === "open" ? null : diedAt,
        settledBy: null,
        settledReason: null,
        replayRunId: null,
        replayRequestId: null,
        engineClearedAt: cleared ? diedAt : null,
      })
      .execute();
  }
  return {
    db,
    companyId,
    left: async () =>
      (await db.kysely.selectFrom("deadLetters").select(["runId", "state"]).execute())
        .map(({ runId, state }) => `${names.get(runId)} ${state}`)
        .sort(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test("letters within both limits stay", async () => {
  await using t = await setup({
    a: { days: 89 },
    b: { days: 1, state: "discarded", cleared: true },
  });
  expect(await keepLetters(t.db, GENEROUS)).toEqual({
    discarded: 0,
    dropped: 0,
    droppedIncidents: 0,
    droppedReplays: 0,
  });
  expect(await t.left()).toEqual(["a open", "b discarded"]);
});

test("too old and settled is dropped once its job has left the engine; too old and open is discarded, and audited", async () => {
  await using t = await setup({
    gone: { days: 91, state: "discarded", cleared: true },
    engine: { days: 91, state: "discarded" },
    open: { days: 91 },
    young: { days: 1 },
  });

  expect(await keepLetters(t.db, GENEROUS)).toMatchObject({ discarded: 1, dropped: 1 });

  expect(await t.left()).toEqual(["engine discarded", "open discarded", "young open"]);
  const { actions } = await listActions(t.db.kysely, t.companyId);
  expect(actions).toMatchObject([
    {
      actor: "retention",
      action: "discard-letter",
      subject: "invoice:open",
      reason: "older than the 90 days that letters are kept",
      before: { state: "open" },
      after: { state: "discarded" },
    },
  ]);
});

test("where room is short, settled letters go first, the oldest first, then the oldest open ones", async () => {
  const letters = {
    oldOpen: { days: 9, bytes: 400 },
    newOpen: { days: 1, bytes: 400 },
    oldSettled: { days: 8, state: "discarded", cleared: true, bytes: 400 },
    newSettled: { days: 2, state: "discarded", cleared: true, bytes: 400 },
  } as const;
  await using one = await setup(letters);
  await keepLetters(one.db, { keepDays: 90, keepBytes: 1_200 });
  expect(await one.left()).toEqual(["newOpen open", "newSettled discarded", "oldOpen open"]);

  await using two = await setup(letters);
  await keepLetters(two.db, { keepDays: 90, keepBytes: 500 });
  expect(await two.left()).toEqual(["newOpen open", "oldOpen discarded"]);
});

test("where one company's letters fill the room, they go, however much older those of others are", async () => {
  const flood = Array.from({ length: 20 }, (_, n) => [`flood${n}`, { days: n / 100, bytes: 100 }]);
  const other = { days: 30, bytes: 100, company: randomUUID() };
  await using t = await setup({
    ...Object.fromEntries(flood),
    other,
    another: { ...other, days: 29 },
  });
  await keepLetters(t.db, { keepDays: 90, keepBytes: 500 });
  const open = (await t.left()).filter((letter) => letter.endsWith(" open"));
  expect(open).toEqual(["another open", "flood0 open", "flood1 open", "flood2 open", "other open"]);
});

test("many replicas at once discard and audit each letter once", async () => {
  await using t = await setup(
    Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`l${n}`, { days: 91 }])),
  );
  await Promise.all([
    keepLetters(t.db, GENEROUS),
    keepLetters(t.db, GENEROUS),
    keepLetters(t.db, GENEROUS),
  ]);
  const { actions } = await listActions(t.db.kysely, "all", { limit: 100 });
  expect(actions).toHaveLength(30);
});

test("a bulk replay goes with its letters when it has been over for as long as letters are kept", async () => {
  await using t = await setup({ letter: { days: 1 } });
  const [letter] = await t.db.kysely.selectFrom("deadLetters").select("runId").execute();
  const begin = (queue: string) =>
    t.db.transaction((tx) =>
      createReplay(
        tx,
        {
          filter: { queue },
          companyId: null,
          ratePerSecond: 1,
          canaryCount: 0,
          stopShare: 0.2,
          reason: "mended",
          requestedBy: "test",
        },
        [letter?.runId ?? ""],
      ),
    );
  const [old, young, underWay] = [await begin("a"), await begin("b"), await begin("c")];
  for (const [id, days] of [[old, 91] as const, [young, 89] as const])
    await t.db.kysely
      .updateTable("replays")
      .set({ state: "completed", finishedAt: new Date(Date.now() - days * DAY_MS) })
      .where("id", "=", id)
      .execute();
  await t.db.kysely
    .updateTable("replays")
    .set({ createdAt: new Date(Date.now() - 91 * DAY_MS) })
    .where("id", "=", underWay)
    .execute();

  expect(await keepLetters(t.db, GENEROUS)).toMatchObject({ droppedReplays: 1 });
  const left = await t.db.kysely.selectFrom("replayLetters").select("replayId").execute();
  expect(left.map(({ replayId }) => replayId).sort()).toEqual([young, underWay].sort());
});
