import { listActions } from "@ballast/database";
import { until } from "@ballast/testing";
import { expect, test } from "vitest";
import { accountExample } from "../../src/routes/examples.ts";
import { startSchedules } from "../../src/schedules/clock.ts";
import { type Api, setup } from "../setup.ts";

const NOTHING_ANSWERS = 404;

/** An account that is compared at night, and its schedule once a clock has seen it. */
async function scheduled(t: Api) {
  const shop = await t.shop();
  const path = `/v1/schedules/reconcile-stock:${shop.accountId}`;
  await using _clock = clockOf(t);
  await until(async () => (await t.api.get(path)).status === 200);
  return { ...shop, path };
}

const clockOf = ({ deps: { database, requests, dispatcher, telemetry } }: Api) =>
  startSchedules({
    database,
    requests,
    dispatcher,
    log: telemetry.log,
    metrics: telemetry.metrics,
  });

const HOUR_MS = 3_600_000;
const before = (ms: number) => new Date(Date.now() - ms);

const makeDue = (t: Api, sinceMs: number) =>
  t.database.kysely
    .updateTable("schedules")
    .set({ nextAt: before(sinceMs) })
    .execute();

const runsOf = async (t: Api, path: string) => (await t.api.get(path).expect(200)).body.lastRuns;

test("an account's schedule says when it is next, and follows its settings", async () => {
  await using t = await setup();
  const { path, accountId, companyId } = await scheduled(t);
  const { body } = await t.api.get(path);
  expect(body).toMatchObject({
    job: "reconcile-stock",
    payload: { accountId },
    cron: "0 3 * * *",
    timeZone: "Europe/Berlin",
    lastRuns: [],
  });
  expect(Date.parse(body.nextAt)).toBeGreaterThan(Date.now());

  await using _clock = clockOf(t);
  const change = (reconcile: unknown) =>
    t.api
      .put(`/v1/marketplace-accounts/${accountId}`, { ...accountExample, companyId, reconcile })
      .expect(200);
  await change({ cron: "30 4 * * *", timeZone: "UTC" });
  await until(async () => (await t.api.get(path)).body.nextAt.endsWith("T04:30:00.000Z"));
  await change(null);
  await until(async () => (await t.api.get(path)).status === NOTHING_ANSWERS);
});

test("ticks that were missed are one, asked for once by however many replicas", async () => {
  await using t = await setup();
  const { path } = await scheduled(t);
  const { nextAt } = (await t.api.get(path)).body;
  await makeDue(t, 72 * HOUR_MS);
  const clocks = await Promise.all(Array.from({ length: 4 }, () => clockOf(t)));
  const [run] = await until(async () => {
    const runs = await runsOf(t, path);
    return runs.length > 0 ? runs : undefined;
  });
  for (const clock of clocks) await clock[Symbol.asyncDispose]();

  expect(await runsOf(t, path)).toHaveLength(1);
  expect(run).toMatchObject({ state: "waiting", requestedBy: expect.stringMatching(/^schedule:/) });
  // The latest that was missed, not the oldest.
  expect(Date.now() - Date.parse(run.dueAt)).toBeLessThan(25 * HOUR_MS);
  expect((await t.api.get(path)).body.nextAt).toBe(nextAt);
});

test("a schedule that a newer release made is left alone", async () => {
  await using t = await setup();
  const { path } = await scheduled(t);
  await t.database.kysely
    .insertInto("schedules")
    .values({
      ...{ id: "newer", queue: "pdf", job: "newer", payload: "{}", cron: "0 3 * * *" },
      ...{ timeZone: "UTC", nextAt: new Date(Date.now() + HOUR_MS) },
    })
    .execute();
  await using _clock = clockOf(t);
  await makeDue(t, 60_000);
  await until(async () => (await runsOf(t, path)).length === 1);
  await t.api.get("/v1/schedules/newer").expect(200);
});

test("run-now asks at once, leaves the next time alone, and is audited", async () => {
  await using t = await setup();
  const { path, companyId } = await scheduled(t);
  const { nextAt } = (await t.api.get(path)).body;
  const reason = "the night's run failed";
  const got = await t.api.post(`${path}/run-now`, { reason }).expect(202);

  expect(got.headers.get("location")).toBe(`/v1/jobs/${got.body.requestId}`);
  expect((await t.api.get(path)).body).toMatchObject({
    nextAt,
    lastRuns: [{ dueAt: null, requestId: got.body.requestId, state: "waiting", error: null }],
  });
  const again = await t.api.post(`${path}/run-now`, { reason }).expect(202);
  expect(again.body).toMatchObject({ joined: true, runId: got.body.runId });
  const { actions } = await listActions(t.database.kysely, companyId, { targetKind: "schedule" });
  expect(actions).toHaveLength(2);
  expect(actions[0]).toMatchObject({ action: "run-schedule-now", reason, companyId });
});

test("a list shows a company its own schedules, page by page", async () => {
  await using t = await setup();
  const mine = await scheduled(t);
  const other = await scheduled(t);
  const all = await t.api.get("/v1/schedules?limit=2").expect(200);
  const rest = await t.api.get(`/v1/schedules?limit=2&cursor=${all.body.nextCursor}`).expect(200);
  const ids = [...all.body.schedules, ...rest.body.schedules].map(({ id }) => id);
  const accounts = [mine.accountId, other.accountId].map((id) => `reconcile-stock:${id}`);
  expect(ids).toEqual([...accounts.sort(), "remind-debtors"]);
  expect(rest.body.nextCursor).toBeNull();

  const own = t.as(await t.keyFor(mine.companyId));
  const shown = (await own.get("/v1/schedules").expect(200)).body.schedules;
  expect(shown).toMatchObject([{ companyId: mine.companyId }]);
  await own.post(`${other.path}/run-now`, { reason: "a test" }).expect(NOTHING_ANSWERS);
});

test.for(["0 3 30 2 *", "99 3 * * *"])("a time that never comes, %s, is refused", async (cron) => {
  await using t = await setup();
  const { companyId } = await t.tenant();
  const body = { ...accountExample, companyId, reconcile: { cron, timeZone: "Europe/Berlin" } };
  const got = await t.api.put(`/v1/marketplace-accounts/${crypto.randomUUID()}`, body).expect(422);
  expect(got.text).toContain("reconcile.cron");
});

test("how late a schedule is, is unknown while the database is away", async () => {
  await using t = await setup();
  await using clock = clockOf(t);
  const tells = async () =>
    /^ballast_schedule_overdue_age_seconds /m.test(await t.telemetry.registry.metrics());
  await until(tells);

  await t.database[Symbol.asyncDispose]();
  clock.wake();
  await until(async () => !(await tells()));
});

test("a schedule that cannot be asked for is told to be late", async () => {
  await using t = await setup();
  await scheduled(t);
  await makeDue(t, HOUR_MS);
  const requests = new Proxy(t.deps.requests, {
    get: () => () => Promise.reject(new Error("not taken")),
  });
  await using _clock = clockOf({ ...t, deps: { ...t.deps, requests } });
  await until(async () =>
    /^ballast_schedule_overdue_age_seconds 36\d\d\./m.test(await t.telemetry.registry.metrics()),
  );
});
