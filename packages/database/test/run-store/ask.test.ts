import { randomUUID } from "node:crypto";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { aRun, HOUR_MS, setup } from "./setup.ts";

const SLOT = { slot: "invoice-1" };

test("a wish without a slot is a run of its own, whose id is the engine's", async () => {
  await using t = await setup();
  const one = await t.ask({ payload: { n: 1 } });
  const other = await t.ask({ payload: { n: 1 } });
  expect(one).toMatchObject({ joined: false });
  expect(other.runId).not.toBe(one.runId);
  expect(await t.runOf(one.requestId)).toMatchObject({
    id: one.runId,
    engineJobId: one.runId,
    state: "waiting",
    origin: "request",
    generation: 1,
    payload: { n: 1 },
  });
});

test("a wish joins the run that waits in its slot, which takes the new payload", async () => {
  await using t = await setup();
  const soon = new Date(Date.now() + 1_000);
  const late = new Date(Date.now() + 2 * HOUR_MS);
  const one = await t.ask({ ...SLOT, payload: { n: 1 }, priority: 5, dueAt: late });
  const other = await t.ask(
    { ...SLOT, payload: { n: 2 }, version: 2, priority: 7, dueAt: soon, deadlineAt: late },
    { requestedBy: "anna" },
  );

  expect(other).toMatchObject({ runId: one.runId, joined: true });
  expect(await t.view(other.requestId)).toMatchObject({
    requestedBy: "anna",
    joined: true,
    otherRequests: 1,
    run: { payload: { n: 2 }, version: 2, priority: 5, dueAt: soon, deadlineAt: late },
  });
});

test("now is earlier than any due time, whichever comes first", async () => {
  await using t = await setup();
  const dueAt = new Date(Date.now() + HOUR_MS);
  await t.ask({ ...SLOT, dueAt: null });
  expect(await t.runOf((await t.ask({ ...SLOT, dueAt })).requestId)).toMatchObject({ dueAt: null });
  await t.ask({ slot: "b", dueAt });
  expect(await t.runOf((await t.ask({ slot: "b", dueAt: null })).requestId)).toMatchObject({
    dueAt: null,
  });
});

test("one slot name in two queues is two slots", async () => {
  await using t = await setup();
  await t.ask(SLOT);
  expect((await t.ask({ ...SLOT, queue: "email" })).joined).toBe(false);
});

test("a wish after the start makes the next run, which waits for its slot", async () => {
  await using t = await setup();
  const one = await t.ask({ ...SLOT, payload: { n: 1 } });
  await t.begin(one.runId);
  const next = await t.ask({ ...SLOT, payload: { n: 2 } });

  expect(next).toMatchObject({ joined: false });
  expect(await t.runOf(one.requestId)).toMatchObject({ payload: { n: 1 } });
  expect(await t.view(next.requestId)).toMatchObject({
    blockedBy: { runId: one.runId, requestId: one.requestId },
  });
  expect(await t.claim()).toEqual([]);
});

test("a wish made while the waiting run is being started waits, and becomes the next run", async () => {
  await using t = await setup();
  const one = await t.ask({ ...SLOT, payload: { n: 1 } });
  const { asking } = await t.db.transaction(async (tx) => {
    await tx.updateTable("jobRuns").set({ state: "started" }).where("id", "=", one.runId).execute();
    const asking = t.ask({ ...SLOT, payload: { n: 2 } });
    await until(
      async () => {
        const { rows } = await sql`
          SELECT 1 FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(t.db.kysely);
        return rows.length > 0;
      },
      { what: "the wish at the lock" },
    );
    return { asking };
  });

  const next = await asking;
  expect(next.joined).toBe(false);
  expect((await t.runOf(next.requestId)).payload).toEqual({ n: 2 });
  expect((await t.runOf(one.requestId)).payload).toEqual({ n: 1 });
});

test("a wish that is rolled back was never made", async () => {
  await using t = await setup();
  const requestId = randomUUID();
  await expect(
    t.db.transaction(async (tx) => {
      await tx.insertInto("marks").values({ name: "a", value: "1" }).execute();
      await t.store.ask(tx, aRun(), { id: requestId, requestedBy: null, traceparent: null });
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  await expect(t.view(requestId)).rejects.toThrow("no request");
});

test("text that PostgreSQL cannot store does not stop the wish", async () => {
  await using t = await setup();
  const { requestId } = await t.ask({ payload: { odd: "a\u0000b\ud800", fine: "\\u0000 😀" } });
  expect((await t.runOf(requestId)).payload).toEqual({ odd: "a\ufffdb\ufffd", fine: "\\u0000 😀" });
});

test("a held run goes nowhere until what it waits for is released", async () => {
  await using t = await setup();
  const held = await t.ask({ heldFor: "document:1" });
  const other = await t.ask({ heldFor: "document:2" });
  expect(await t.claim()).toEqual([]);
  expect(await t.start(held.runId)).toEqual({ kind: "slot_busy" });

  expect(await t.db.transaction((tx) => t.store.release(tx, "document:1"))).toBe(1);

  expect((await t.claim()).map(({ id }) => id)).toEqual([held.runId]);
  expect(await t.db.transaction((tx) => t.store.release(tx, "document:1"))).toBe(0);
  expect((await t.runOf(other.requestId)).heldFor).toBe("document:2");
});

test("asking held, then looking, never misses a release that happens at the same time", async () => {
  await using t = await setup();
  const isDone = async (tx: Parameters<typeof t.store.release>[0], name: string) =>
    (await tx.selectFrom("marks").selectAll().where("name", "=", name).execute()).length > 0;

  await Promise.all(
    Array.from({ length: 25 }, async (_, n) => {
      const key = `document:${n}`;
      await Promise.all([
        t.db.transaction(async (tx) => {
          await t.store.ask(tx, aRun({ heldFor: key }), { requestedBy: null, traceparent: null });
          if (await isDone(tx, key)) await t.store.release(tx, key);
        }),
        t.db.transaction(async (tx) => {
          await tx.insertInto("marks").values({ name: key, value: "" }).execute();
          await t.store.release(tx, key);
        }),
      ]);
    }),
  );

  expect(await t.claim()).toHaveLength(25);
});

test("dispatchers are woken by a wish and by a release, at commit", async () => {
  await using t = await setup();
  let woken = 0;
  await using _ = await t.store.onDispatch(() => {
    woken += 1;
  });

  await t.ask();
  await until(() => woken === 1, { what: "the wish's wake" });
  await t.ask({ heldFor: "k" });
  await t.db.transaction((tx) => t.store.release(tx, "k"));
  await until(() => woken === 2, { what: "the release's wake" });
});

test("the replay of what never started is not given to a run that began before it was wished", async () => {
  await using t = await setup();
  const started = await t.ask({ slot: "s", payload: { change: 1 } });
  await t.begin(started.runId);
  const late = { slot: "s", payload: { change: 2 } };
  const died = await t.ask({ ...late, deadlineAt: new Date(Date.now() - 1) });
  await t.store.expire(10);

  const lineage = { replayOf: died.runId, generation: 2, isChanged: false };
  const replay = await t.db.transaction((tx) =>
    t.store.ask(tx, aRun(late), { requestedBy: null, traceparent: null }, lineage),
  );

  expect(replay).toMatchObject({ joined: false });
  expect((await t.runOf(replay.requestId)).payload).toEqual({ change: 2 });
});
