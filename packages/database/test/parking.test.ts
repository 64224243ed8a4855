import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { setup } from "./run-store/setup.ts";

const letters = async (t: Awaited<ReturnType<typeof setup>>) =>
  await t.db.kysely.selectFrom("deadLetters").selectAll().execute();

test("a death that a worker reports is parked with its last error, once, however often it is reported", async () => {
  await using t = await setup();
  const { runId } = await t.ask({ subject: "invoice:1", payload: { n: 7 } });
  const attemptId = await t.begin(runId);
  const end = t.end(runId, attemptId, {
    outcome: "dead",
    code: "invoice_not_found",
    message: "no invoice 1",
    stack: "at render",
  });

  await Promise.all([t.store.ended([end]), t.store.ended([end])]);

  const [letter, ...others] = await letters(t);
  expect(others).toEqual([]);
  expect(letter).toMatchObject({
    runId,
    queue: "pdf",
    job: "render-invoice",
    payload: { n: 7 },
    subject: "invoice:1",
    code: "invoice_not_found",
    message: "no invoice 1",
    stack: "at render",
    worker: "host:1",
    attemptsMade: 1,
    generation: 1,
    state: "open",
    diedAt: end.endedAt,
  });
});

test("a death that is copied from the engine, and one of a deadline, is parked in the same way", async () => {
  await using t = await setup();
  const copied = await t.ask();
  await t.begin(copied.runId);
  const late = await t.ask({ deadlineAt: new Date(Date.now() - 1) });
  await t.store.copyEnd({
    runId: copied.runId,
    state: "dead",
    result: null,
    code: null,
    message: "job stalled more than allowable limit",
    endedAt: new Date(),
  });
  await t.store.expire(10);

  expect((await letters(t)).map(({ runId, code }) => [runId, code]).sort()).toEqual(
    [
      [copied.runId, "ended_in_engine"],
      [late.runId, "deadline_exceeded"],
    ].sort(),
  );
});

test("whatever ends well or is cancelled leaves no letter", async () => {
  await using t = await setup();
  const { runId } = await t.ask();
  await t.store.ended([t.end(runId, await t.begin(runId), { result: { id: randomUUID() } })]);

  expect(await letters(t)).toEqual([]);
});
