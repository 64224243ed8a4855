import { expect, test } from "vitest";
import { measureOutbox, setQueuePaused } from "../src/index.ts";
import { setup } from "./run-store/setup.ts";

const MINUTE_MS = 60_000;
const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS);

test("the age is that of the oldest run, also where counting ends before it", async () => {
  await using t = await setup();
  for (const dueAt of [ago(1), ago(2), ago(3)]) await t.ask({ priority: 0, dueAt });
  await t.ask({ priority: 9, dueAt: ago(60) });
  await t.ask({ priority: 5, dueAt: ago(30) });

  const { pending, oldestAgeSeconds } = await measureOutbox(t.db.kysely, 2);
  expect(pending).toBe(2);
  expect(oldestAgeSeconds).toBeGreaterThanOrEqual(3_600);
  expect(oldestAgeSeconds).toBeLessThan(3_900);
});

test("runs of a paused queue are counted apart, and nobody is late with them", async () => {
  await using t = await setup();
  for (const queue of ["pdf", "pdf", "pdf", "email"]) await t.ask({ queue, dueAt: ago(5) });
  const pause = { queue: "pdf", paused: true, reason: "fonts", changedBy: "test" };
  await t.db.transaction((tx) => setQueuePaused(tx, pause));
  await t.db.transaction((tx) => setQueuePaused(tx, { ...pause, queue: "email" }));
  expect(await measureOutbox(t.db.kysely, 3)).toEqual({
    pending: 0,
    oldestAgeSeconds: 0,
    paused: 3,
  });
});
