import { until } from "@ballast/testing";
import { expect, test } from "vitest";
import { incident } from "../letters.ts";
import { setup } from "../setup.ts";
import { deadEchoes, drive, reach, reason, workAll } from "./bulk.ts";

const RATE = { ratePerSecond: 100, reason };

test("it stops by itself when the cause comes back, says so, and goes on when told", async () => {
  await using t = await setup();
  await deadEchoes(t, 8);
  await using _driver = drive(t);
  const body = { filter: { queue: "drill" }, ratePerSecond: 100, canary: 4, reason };
  const asked = await t.api.post("/v1/replays", body).expect(202);
  const path = asked.headers.get("location") ?? "";
  await until(async () => (await t.api.get(path)).body.counts.replayed === 4, {
    deadlineMs: 30_000,
  });
  await workAll(t, () => "dead");

  const stopped = await reach(t, path, "stopped");
  expect(stopped.stopReason).toMatch(/^4 of 4 that went ahead died of the same cause again/);
  expect(stopped.counts).toMatchObject({ pending: 4, diedAgain: 4 });

  await t.api.post(`${path}/resume`, { reason: "mended now" }).expect(200);
  await until(async () => (await t.api.get(path)).body.counts.replayed === 8, {
    deadlineMs: 30_000,
  });
  await workAll(t, () => "completed");
  expect((await reach(t, path, "completed")).counts).toMatchObject({ replayed: 8, pending: 0 });
});

test("another cause under the same code is not the one that was mended: it goes on", async () => {
  await using t = await setup();
  await deadEchoes(t, 6);
  await using _driver = drive(t);
  const body = { filter: { queue: "drill" }, canary: 4, ...RATE };
  const path = (await t.api.post("/v1/replays", body).expect(202)).headers.get("location") ?? "";
  await until(async () => (await t.api.get(path)).body.counts.replayed === 4, {
    deadlineMs: 30_000,
  });
  await workAll(t, () => "dead", "no such customer");

  const done = await reach(t, path, "completed", "stopped");
  expect(done).toMatchObject({ state: "completed", counts: { replayed: 6, diedAgain: 0 } });
});

test("what the notifier filed under one cause is believed", async () => {
  await using t = await setup();
  const letters = await deadEchoes(t, 3);
  await using _driver = drive(t);
  const body = { filter: { queue: "drill" }, canary: 1, ...RATE };
  const path = (await t.api.post("/v1/replays", body).expect(202)).headers.get("location") ?? "";
  await until(async () => (await t.api.get(path)).body.counts.replayed === 1, {
    deadlineMs: 30_000,
  });
  const [run] = await t.database.kysely
    .selectFrom("jobRuns")
    .select("id")
    .where("state", "=", "waiting")
    .execute();
  if (run === undefined) throw new Error("nothing was replayed");
  await t.database.transaction(async (tx) => {
    await tx.updateTable("jobRuns").set({ state: "started" }).where("id", "=", run.id).execute();
    await tx
      .updateTable("jobRuns")
      .set({ state: "dead", finishedAt: new Date(), errorCode: "renamed" })
      .where("id", "=", run.id)
      .execute();
    await incident({ ...t, database: { ...t.database, kysely: tx } }, [...letters, run.id]);
  });
  expect(await reach(t, path, "stopped")).toMatchObject({ counts: { diedAgain: 1, pending: 2 } });
});
