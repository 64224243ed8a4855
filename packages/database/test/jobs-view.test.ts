import { randomUUID } from "node:crypto";
import { until } from "@ballast/testing";
import { expect, test } from "vitest";
import { cancelRequest, findJobByEngineId, findJobRequest, listJobRequests } from "../src/index.ts";
import { setup } from "./run-store/setup.ts";

test("a waiting request says how many go before it", async () => {
  await using t = await setup();
  await t.ask({ priority: 0 });
  await t.ask({ priority: 0, queue: "email" });
  await t.ask({ priority: 0, heldFor: "x" });
  const { requestId } = await t.ask({ priority: 5 });
  await t.ask({ priority: 9 });
  expect(await t.view(requestId)).toMatchObject({ aheadOfIt: 1, blockedBy: null });
});

test("a company finds its own requests, and nobody's are everybody's alone", async () => {
  await using t = await setup();
  const [ours, theirs] = [randomUUID(), randomUUID()];
  const own = await t.ask({ companyId: ours });
  const other = await t.ask({ companyId: theirs });
  const nobodys = await t.ask();

  expect(await findJobRequest(t.db.kysely, own.requestId, ours)).toBeDefined();
  for (const { requestId } of [other, nobodys]) {
    expect(await findJobRequest(t.db.kysely, requestId, ours)).toBeUndefined();
    expect(await cancelRequest(t.db, requestId, ours)).toBeUndefined();
    expect((await t.runOf(requestId)).state).toBe("waiting");
  }
  const listed = async (scope: string) =>
    (await listJobRequests(t.db.kysely, scope)).requests.map(({ requestId }) => requestId);
  expect(await listed(ours)).toEqual([own.requestId]);
  expect(await listed("all")).toHaveLength(3);
});

test("lists are newest first, filtered, and paged without a gap", async () => {
  await using t = await setup();
  const ids: string[] = [];
  for (let n = 0; n < 5; n += 1)
    ids.unshift((await t.ask({ subject: `invoice:${n % 2}` })).requestId);
  await t.ask({ queue: "email" });

  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await listJobRequests(t.db.kysely, "all", {
      queue: "pdf",
      limit: 2,
      ...(cursor === undefined ? {} : { cursor }),
    });
    seen.push(...page.requests.map(({ requestId }) => requestId));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  expect(seen).toEqual(ids);

  const filtered = (filter: object) =>
    listJobRequests(t.db.kysely, "all", filter).then(({ requests }) => requests.length);
  expect(await filtered({ subject: "invoice:1" })).toBe(2);
  expect(await filtered({ state: "dead" })).toBe(0);
  expect(await filtered({ since: new Date(Date.now() + 60_000) })).toBe(0);
  expect(await filtered({ state: "waiting", since: new Date(Date.now() - 60_000) })).toBe(6);
});

test("a cursor that names another company's request tells nothing of it", async () => {
  await using t = await setup();
  const ours = randomUUID();
  await t.ask({ companyId: ours });
  const { requestId } = await t.ask({ companyId: randomUUID() });
  const page = await listJobRequests(t.db.kysely, ours, { cursor: requestId });
  expect(page).toEqual({ requests: [], nextCursor: null });
});

test("a job is found by the id it has in the engine", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  expect(await findJobByEngineId(t.db.kysely, "pdf", runId)).toMatchObject({ requestId });
  expect(await findJobByEngineId(t.db.kysely, "email", runId)).toBeUndefined();
});

test("a waiting run is cancelled at once; if the engine may have it, that copy is named", async () => {
  await using t = await setup();
  const fresh = await t.ask();
  const handed = await t.ask();
  await t.store.handedOver([{ id: handed.runId, priority: 0 }]);

  expect(await cancelRequest(t.db, fresh.requestId, "all")).toEqual({
    kind: "cancelled",
    engineJob: null,
  });
  expect(await cancelRequest(t.db, handed.requestId, "all")).toEqual({
    kind: "cancelled",
    engineJob: { queue: "pdf", id: handed.runId },
  });
  expect(await t.start(handed.runId)).toMatchObject({ kind: "over", state: "cancelled" });
  expect(await cancelRequest(t.db, fresh.requestId, "all")).toEqual({
    kind: "over",
    state: "cancelled",
  });
});

test("a running one is told to stop, and says where it runs", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask();
  await t.begin(runId);
  expect(await t.store.cancelled([runId])).toEqual([]);
  expect(await cancelRequest(t.db, requestId, "all")).toEqual({
    kind: "cancelling",
    runningOn: "host:1",
  });
  expect(await t.store.cancelled([runId])).toEqual([runId]);
  expect((await t.runOf(requestId)).state).toBe("started");
});

test("one between two attempts is cancelled at once, and its slot goes to the next", async () => {
  await using t = await setup();
  const { requestId, runId } = await t.ask({ slot: "s" });
  const attempt = await t.begin(runId);
  const next = await t.ask({ slot: "s" });
  await t.store.ended([
    t.end(runId, attempt, { outcome: "retry", nextAttemptAt: new Date(Date.now() + 60_000) }),
  ]);
  let woken = 0;
  await using _ = await t.store.onDispatch(() => {
    woken += 1;
  });

  expect(await cancelRequest(t.db, requestId, "all")).toMatchObject({ kind: "cancelled" });

  await until(() => woken > 0, { what: "the wake" });
  expect((await t.claim()).map(({ id }) => id)).toEqual([next.runId]);
});

test("one of two requests leaves, the last takes the run with it", async () => {
  await using t = await setup();
  const one = await t.ask({ slot: "s" });
  const other = await t.ask({ slot: "s" });
  expect(await cancelRequest(t.db, one.requestId, "all")).toEqual({
    kind: "left",
    otherRequests: 1,
  });
  expect(await cancelRequest(t.db, one.requestId, "all")).toMatchObject({ kind: "left" });
  expect((await t.view(one.requestId)).cancelledAt).toBeInstanceOf(Date);
  expect(await t.claim()).toMatchObject([{ requestId: other.requestId }]);
  expect(await cancelRequest(t.db, other.requestId, "all")).toMatchObject({ kind: "cancelled" });
});

test("two requests cancelled at once take the run with them", async () => {
  await using t = await setup();
  const asked = [await t.ask({ slot: "s" }), await t.ask({ slot: "s" })];
  const kinds = await Promise.all(
    asked.map(async ({ requestId }) => (await cancelRequest(t.db, requestId, "all"))?.kind),
  );
  expect(kinds.sort()).toEqual(["cancelled", "left"]);
});

test("a wish made while the run is being cancelled gets a run of its own", async () => {
  await using t = await setup();
  for (let round = 0; round < 10; round += 1) {
    const slot = `s${round}`;
    const one = await t.ask({ slot });
    const [, other] = await Promise.all([
      cancelRequest(t.db, one.requestId, "all"),
      t.ask({ slot }),
    ]);
    expect((await t.runOf(other.requestId)).state).toBe("waiting");
  }
});
