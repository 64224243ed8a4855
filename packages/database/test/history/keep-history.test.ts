import { randomUUID } from "node:crypto";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import pg from "pg";
import { expect, test } from "vitest";
import {
  cancelRequest,
  changedSince,
  findJobByEngineId,
  keepHistory,
  listJobRequests,
} from "../../src/index.ts";
import { type Setup, setup } from "../run-store/setup.ts";

const AT_ONCE = { moveAfterMs: 0, keepMonths: 13 };
const RUNS_EACH = 30;
const DAY_MS = 24 * 3_600_000;

const live = async (t: Setup) =>
  (await t.db.kysely.selectFrom("jobRuns").select("id").execute()).map(({ id }) => id);
const partitions = async (t: Setup) =>
  (
    await sql<{ name: string }>`
      SELECT relname::text AS name FROM pg_class
      WHERE relname ~ '^job_runs_history_[0-9]{4}' AND relkind = 'r' ORDER BY relname`.execute(
      t.db.kysely,
    )
  ).rows.map(({ name }) => name);
const monthsFromNow = (months: number) => {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 15));
};
const nameOf = (month: Date) =>
  `job_runs_history_${month.toISOString().slice(0, 7).replace("-", "_")}`;

/** A run that took two attempts for two wishes, and ended as said. */
async function over(t: Setup, change: Parameters<Setup["ask"]>[0] = {}, endedAt = new Date()) {
  const slot = `slot ${randomUUID()}`;
  const { requestId, runId } = await t.ask({ slot, subject: "invoice:1", ...change });
  const joined = await t.ask({ slot, ...change });
  const first = await t.begin(runId);
  await t.store.ended([t.end(runId, first, { outcome: "retry", code: "busy", message: "later" })]);
  const second = await t.begin(runId);
  await t.store.ended([t.end(runId, second, { result: { pages: 3 }, endedAt })]);
  return { requestId, runId, joinedId: joined.requestId };
}

test("what has been over for a day moves, and every read finds it as it was", async () => {
  await using t = await setup();
  const companyId = randomUUID();
  const old = await over(t, { companyId }, new Date(Date.now() - DAY_MS - 1_000));
  const recent = await over(t, { companyId }, new Date(Date.now() - DAY_MS + 60_000));
  const waiting = await t.ask({ companyId });
  const reads = async () => ({
    own: await t.view(old.requestId),
    joined: await t.view(old.joinedId),
    byEngine: await findJobByEngineId(t.db.kysely, "pdf", old.runId),
    all: await listJobRequests(t.db.kysely, "all"),
    company: await listJobRequests(t.db.kysely, companyId, { state: "completed" }),
    subject: await listJobRequests(t.db.kysely, "all", { subject: "invoice:1", queue: "pdf" }),
    changes: await changedSince(t.db.kysely, [old.runId, waiting.runId], 0),
  });
  const before = await reads();

  const kept = await keepHistory(t.db, { moveAfterMs: DAY_MS, keepMonths: 13 });

  expect(kept.movedRuns).toBe(1);
  expect((await live(t)).sort()).toEqual([recent.runId, waiting.runId].sort());
  expect(await reads()).toEqual(before);
  expect(before.own).toMatchObject({ otherRequests: 1, attempts: [{ outcome: "retry" }, {}] });
  expect(before.all.requests).toHaveLength(5);
  expect(await cancelRequest(t.db, old.requestId, companyId)).toEqual({
    kind: "over",
    state: "completed",
  });
  expect(await cancelRequest(t.db, old.requestId, randomUUID())).toBeUndefined();
  for (const view of ["allJobRuns", "allJobRequests", "allJobAttempts"] as const)
    expect(await t.db.kysely.selectFrom(view).select("id").execute()).toHaveLength(
      { allJobRuns: 3, allJobRequests: 5, allJobAttempts: 4 }[view],
    );
});

test("pages go on from what lives into history without a gap, whichever row a cursor names", async () => {
  await using t = await setup();
  const ids: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    const { requestId, joinedId } = await over(t);
    ids.unshift(joinedId, requestId);
  }
  await keepHistory(t.db, AT_ONCE);
  for (let n = 0; n < 3; n += 1) ids.unshift((await t.ask()).requestId);

  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const filter = { limit: 2, ...(cursor === undefined ? {} : { cursor }) };
    const page = await listJobRequests(t.db.kysely, "all", filter);
    seen.push(...page.requests.map(({ requestId }) => requestId));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);

  expect(seen).toEqual(ids);
});

test("a job that the engine still has is settled with the result that moved, and not run again", async () => {
  await using t = await setup();
  const { runId } = await over(t);
  const theirs = {
    ...t.aStart("theirs-1"),
    job: "render-invoice",
    version: 1,
    payload: {},
    companyId: null,
    subject: null,
    slot: null,
    deadlineAt: new Date(Date.now() + DAY_MS),
    requestId: null,
    requestedBy: null,
    traceparent: null,
    createdAt: new Date(),
  };
  const adopted = await t.store.adopt(theirs);
  if (adopted.kind !== "go") throw new Error(`not adopted: ${adopted.kind}`);
  await t.store.ended([t.end(adopted.run.id, theirs.attemptId, { result: { theirs: true } })]);
  expect((await keepHistory(t.db, AT_ONCE)).movedRuns).toBe(2);
  const fresh = await t.ask();

  const answers = await t.store.start(
    [runId, fresh.runId, "theirs-1", "nobody's"].map((id) => t.aStart(id)),
  );

  expect(answers).toMatchObject([
    { kind: "over", state: "completed", result: { pages: 3 }, error: null },
    { kind: "go" },
    { kind: "over", state: "completed", result: { theirs: true } },
    { kind: "unknown" },
  ]);
  // Two workers had it at once, and one was told `unknown` before the other's run ended and moved.
  expect(await t.store.adopt({ ...theirs, attemptId: randomUUID() })).toMatchObject({
    kind: "over",
    result: { theirs: true },
  });
  expect(await live(t)).toEqual([fresh.runId]);
});

test("many replicas at once, beside workers, move each run once and fail nobody", {
  timeout: 90_000,
}, async () => {
  await using t = await setup();
  const asked: string[] = [];
  let ended = 0;
  const worker = async () => {
    for (let n = 0; n < RUNS_EACH; n += 1) {
      const { requestId, runId } = await t.ask();
      asked.push(requestId);
      await t.store.ended([t.end(runId, await t.begin(runId), { result: { runId } })]);
      ended += 1;
    }
  };
  const mover = async () => {
    while (ended < 2 * RUNS_EACH) await keepHistory(t.db, AT_ONCE);
  };

  await Promise.all([worker(), worker(), mover(), mover()]);
  await keepHistory(t.db, AT_ONCE);

  expect(await live(t)).toEqual([]);
  for (const requestId of asked) {
    const { run, attempts } = await t.view(requestId);
    expect(run.result).toEqual({ runId: run.id });
    expect(attempts).toHaveLength(1);
  }
  const moved = await t.db.kysely.selectFrom("jobRunsHistory").select("id").execute();
  expect(moved).toHaveLength(2 * RUNS_EACH);
});

test("partitions stand ready ahead of time, and those past their months are dropped", async () => {
  await using t = await setup();
  const old = await over(t, {}, monthsFromNow(-3));
  const [first, ...again] = await Promise.all([
    keepHistory(t.db, AT_ONCE),
    keepHistory(t.db, AT_ONCE),
  ]);
  expect([first, ...again].reduce((sum, { movedRuns }) => sum + movedRuns, 0)).toBe(1);
  expect(await partitions(t)).toEqual([-3, -2, -1, 0, 1, 2].map(monthsFromNow).map(nameOf));

  const keep = (keepMonths: number) => keepHistory(t.db, { ...AT_ONCE, keepMonths });
  expect((await keep(3)).droppedPartitions).toEqual([]);
  expect((await t.view(old.requestId)).run.id).toBe(old.runId);
  await Promise.all([keep(2), keep(2)]);
  expect(await partitions(t)).toEqual([-2, -1, 0, 1, 2].map(monthsFromNow).map(nameOf));
  await expect(t.view(old.requestId)).rejects.toThrow("no request");
});

test("a drop that was cut short goes on where it stopped", async () => {
  await using t = await setup();
  await over(t, {}, monthsFromNow(-3));
  await keepHistory(t.db, AT_ONCE);
  // A reader that does not end keeps the partition from being taken out.
  const client = new pg.Client({ connectionString: t.url });
  await client.connect();
  await client.query("BEGIN");
  await client.query("SELECT count(*) FROM job_runs_history");
  const cut = new pg.Client({ connectionString: t.url, statement_timeout: 500 });
  await cut.connect();
  const name = nameOf(monthsFromNow(-3));
  const taking = cut.query(`ALTER TABLE job_runs_history DETACH PARTITION ${name} CONCURRENTLY`);
  await expect(taking).rejects.toThrow("statement timeout");
  await cut.end();
  await client.end();

  const { droppedPartitions } = await keepHistory(t.db, { ...AT_ONCE, keepMonths: 1 });

  expect(droppedPartitions).toContain(name);
  expect(await partitions(t)).not.toContain(name);
});

test("readers of history wait for no partition that is made or dropped", async () => {
  await using t = await setup();
  await over(t, {}, monthsFromNow(-3));
  const client = new pg.Client({ connectionString: t.url });
  await client.connect();
  await client.query("BEGIN");
  await client.query("SELECT count(*) FROM all_job_runs");
  const keep = () => keepHistory(t.db, { ...AT_ONCE, keepMonths: 1 });
  const keeping = keep().catch(() => keep()); // it waits some seconds for a reader, not for ever

  // It is made although somebody reads, and waits for that reader before it drops.
  await until(async () => (await live(t)).length === 0, { deadlineMs: 20_000 });
  expect(await t.start("nobody's")).toEqual({ kind: "unknown" });
  await client.query("COMMIT");
  await client.end();

  await keeping;
  expect(await partitions(t)).not.toContain(nameOf(monthsFromNow(-3)));
});

test("history has the columns of what lives, at the same places", async () => {
  await using t = await setup();
  const columns = async (table: string) =>
    (
      await sql<{ name: string }>`
        SELECT attname || ' ' || format_type(atttypid, atttypmod) AS name
        FROM pg_attribute WHERE attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped
        ORDER BY attnum`.execute(t.db.kysely)
    ).rows.map(({ name }) => name);
  for (const table of ["job_runs", "job_requests", "job_attempts"]) {
    const expected = await columns(table);
    expect((await columns(`${table}_history`)).slice(0, expected.length)).toEqual(expected);
    expect(await columns(`all_${table}`)).toEqual(expected);
  }
});
