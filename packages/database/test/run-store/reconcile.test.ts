import { expect, test } from "vitest";
import { setup } from "./setup.ts";

test("a run that was handed over and not heard of since is silent, until it is touched", async () => {
  await using t = await setup();
  const { runId, requestId } = await t.ask({ payload: { n: 3 } });
  const young = await t.ask();
  await t.store.handedOver([runId, young.runId].map((id) => ({ id, priority: 0 })));
  await t.touchedAgo(runId, "2 minutes");

  const silent = await t.store.silent(60_000, 10);
  const found = { id: runId, requestId, payload: { n: 3 }, touchedAt: expect.any(Date) };
  expect(silent).toMatchObject([found]);
  expect((silent[0]?.silentMs ?? 0) / 120_000).toBeCloseTo(1, 1);
  await t.store.touch([runId]);
  expect(await t.store.silent(60_000, 10)).toEqual([]);
});

test("a run whose row somebody locked for long keeps no other from being touched", async () => {
  await using t = await setup();
  const locked = await t.ask();
  const other = await t.ask();
  const ids = [locked.runId, other.runId];
  await t.store.handedOver(ids.map((id) => ({ id, priority: 0 })));
  for (const id of ids) await t.touchedAgo(id, "2 minutes");
  await t.db.transaction(async (tx) => {
    await tx
      .selectFrom("jobRuns")
      .select("id")
      .where("id", "=", locked.runId)
      .forUpdate()
      .execute();
    await t.store.touch(ids);
  });
  expect(await t.store.silent(60_000, 10)).toMatchObject([{ id: locked.runId }]);
});

test("a silent run is reclaimed by one of many", async () => {
  await using t = await setup();
  const { runId } = await t.ask();
  await t.begin(runId);
  await t.touchedAgo(runId, "2 minutes");
  const [found] = await t.store.silent(60_000, 10);
  if (found === undefined) throw new Error("nothing is silent");

  const won = await Promise.all(Array.from({ length: 5 }, () => t.store.reclaim([found])));

  expect(won.flat()).toEqual([runId]);
});

test("a run that is over is neither silent nor reclaimed", async () => {
  await using t = await setup();
  const { runId } = await t.ask();
  await t.store.ended([t.end(runId, await t.begin(runId))]);
  await t.touchedAgo(runId, "2 minutes");
  expect(await t.store.silent(60_000, 10)).toEqual([]);
});

test("an end that only the engine knew is copied once, and frees the slot", async () => {
  await using t = await setup();
  const { runId, requestId } = await t.ask({ slot: "s" });
  const attempt = await t.begin(runId);
  const next = await t.ask({ slot: "s" });
  const endedAt = new Date(Date.now() - 1_000);
  const end = {
    runId,
    state: "dead",
    result: null,
    code: "gone",
    message: "no thing",
    endedAt,
  } as const;

  await t.store.copyEnd(end);
  await t.store.copyEnd({ ...end, state: "completed", message: null });

  expect(await t.view(requestId)).toMatchObject({
    run: {
      state: "dead",
      errorCode: "gone",
      errorMessage: "no thing",
      finishedAt: endedAt,
      runningAttemptId: null,
    },
    attempts: [{ id: attempt, outcome: "lost" }],
  });
  expect((await t.claim()).map(({ id }) => id)).toEqual([next.runId]);
});

test("a waiting run whose deadline passed is dead, held or not; a started one goes on", async () => {
  await using t = await setup();
  const deadlineAt = new Date(Date.now() - 1);
  const late = await t.ask({ deadlineAt });
  const held = await t.ask({ deadlineAt, heldFor: "document:1" });
  const started = await t.ask({ deadlineAt });
  await t.begin(started.runId);
  const young = await t.ask();

  expect(await t.store.expire(10)).toBe(2);

  expect(await t.runOf(late.requestId)).toMatchObject({
    state: "dead",
    errorCode: "deadline_exceeded",
  });
  expect((await t.runOf(held.requestId)).errorMessage).toContain("held for document:1");
  expect((await t.runOf(started.requestId)).state).toBe("started");
  expect((await t.runOf(young.requestId)).state).toBe("waiting");
  expect(await t.store.expire(10)).toBe(0);
});

test("a mark is what was last written under its name", async () => {
  await using t = await setup();
  expect(await t.store.readMark("epoch")).toBeNull();
  await t.store.writeMark("epoch", "1");
  await t.store.writeMark("epoch", "2");
  expect(await t.store.readMark("epoch")).toBe("2");
});
