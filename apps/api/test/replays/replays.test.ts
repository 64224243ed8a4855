import { randomUUID } from "node:crypto";
import { echo } from "@ballast/contracts";
import { listActions } from "@ballast/database";
import { handle, PermanentError, prepareEngine, startWorker } from "@ballast/jobs";
import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { deadPdf, incident, rendered } from "../letters.ts";
import { setup } from "../setup.ts";
import { deadEchoes, drive, reach, reason, workAll } from "./bulk.ts";

test("a dry run says how many there are, how many no longer fit and how many are done, and does nothing", async () => {
  await using t = await setup();
  const [misfit] = await deadEchoes(t, 3);
  await t.database.kysely
    .updateTable("deadLetters")
    .set({ payload: '{"id": 7}' })
    .where("runId", "=", misfit ?? "")
    .execute();
  const got = await t.api.post("/v1/replays", {
    filter: { queue: "drill" },
    dryRun: true,
    ratePerSecond: 1,
    reason,
  });
  expect(got).toMatchObject({
    status: 200,
    body: {
      letters: 3,
      replayable: 2,
      notReplayable: 1,
      notReplayableSample: [{ letterId: misfit, message: expect.stringContaining("payload.id") }],
      alreadyDone: 0,
      secondsAtLeast: 2,
    },
  });
  expect((await t.api.get("/v1/replays")).body).toEqual({ replays: [] });
});

test("a filter that finds nothing is answered with zero", async () => {
  await using t = await setup();
  const body = { filter: { queue: "drill", code: "unheard_of" }, reason };
  expect(await t.api.post("/v1/replays", body)).toMatchObject({
    status: 200,
    body: { letters: 0 },
  });
});

test("a few go ahead; the others follow once those have ended well, and each is settled by its replay", async () => {
  await using t = await setup();
  const letters = await deadEchoes(t, 12);
  await using _driver = drive(t);
  const asked = await t.api
    .post("/v1/replays", { filter: { queue: "drill" }, ratePerSecond: 100, canary: 3, reason })
    .expect(202);
  const path = asked.headers.get("location") ?? "";

  const ahead = await until(
    async () => {
      const { body } = await t.api.get(path);
      return body.counts.replayed === 3 ? body : undefined;
    },
    { deadlineMs: 30_000 },
  );
  expect(ahead).toMatchObject({ state: "canary", counts: { pending: 9 } });
  await workAll(t, () => "completed");
  const done = await reach(t, path, "completed");
  expect(done.counts).toMatchObject({ letters: 12, replayed: 12, skipped: 0, diedAgain: 0 });
  for (const letterId of letters)
    expect((await t.api.get(`/v1/dead-letters/${letterId}`)).body.state).toBe("replayed");
});

test("letters that somebody settled meanwhile, or whose work is done, are left out and counted", async () => {
  await using t = await setup();
  const [settled] = await deadEchoes(t, 2);
  const asked = await t.api
    .post("/v1/replays", { filter: { queue: "drill" }, canary: 0, ratePerSecond: 100, reason })
    .expect(202);
  await t.api.post(`/v1/dead-letters/${settled}/discard`, { reason: "not wanted" }).expect(204);
  await using _driver = drive(t);

  const done = await reach(t, asked.headers.get("location") ?? "", "completed");
  expect(done.counts).toMatchObject({ replayed: 1, skipped: 1 });
  expect(done.skipped).toMatchObject([{ code: "settled", count: 1, letterId: settled }]);
});

test("a letter whose document is there is left out, and one that names no invoice is not taken for done", {
  timeout: 90_000,
}, async () => {
  await using t = await setup();
  const [done, other, odd] = [await deadPdf(t), await deadPdf(t), await deadPdf(t)];
  await rendered(t, done);
  await t.database.kysely
    .updateTable("deadLetters")
    .set({ payload: '{"invoiceId": "INV-7"}' })
    .where("runId", "=", odd.letterId)
    .execute();
  const body = { filter: { queue: "pdf" }, canary: 0, ratePerSecond: 100, reason };
  expect((await t.api.post("/v1/replays", { ...body, dryRun: true })).body).toMatchObject({
    letters: 3,
    replayable: 1,
    notReplayable: 1,
    alreadyDone: 1,
    alreadyDoneSample: [{ letterId: done.letterId }],
  });

  await using _driver = drive(t);
  const asked = await t.api.post("/v1/replays", body).expect(202);
  const { counts, skipped } = await reach(t, asked.headers.get("location") ?? "", "completed");
  expect(counts).toMatchObject({ replayed: 1, skipped: 2 });
  expect(skipped).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ code: "already_done", letterId: done.letterId }),
      expect.objectContaining({ code: "not_replayable", letterId: odd.letterId }),
    ]),
  );
  expect((await t.api.get(`/v1/dead-letters/${other.letterId}`)).body.state).toBe("replayed");
});

test("a letter whose work a live run does joins it, and is shown apart", {
  timeout: 90_000,
}, async () => {
  await using t = await setup();
  const [{ invoiceId }] = [await deadPdf(t), await deadPdf(t)];
  await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  await using _driver = drive(t);
  const body = { filter: { queue: "pdf" }, canary: 0, ratePerSecond: 100, reason };
  const asked = await t.api.post("/v1/replays", body).expect(202);
  const done = await reach(t, asked.headers.get("location") ?? "", "completed");
  expect(done.counts).toMatchObject({ letters: 2, replayed: 2, joined: 1 });
});

test("one that waits for those that went ahead keeps no other queue's waiting", {
  timeout: 90_000,
}, async () => {
  await using t = await setup();
  await deadEchoes(t, 2);
  await deadPdf(t);
  await using _driver = drive(t);
  const begin = async (queue: string, canary: number) => {
    const body = { filter: { queue }, canary, ratePerSecond: 100, reason };
    const asked = await t.api.post("/v1/replays", body).expect(202);
    return asked.headers.get("location") ?? "";
  };
  const waiting = await begin("drill", 1); // nobody works there
  await until(async () => (await t.api.get(waiting)).body.counts.replayed === 1, {
    deadlineMs: 30_000,
  });
  await reach(t, await begin("pdf", 0), "completed");
  expect((await t.api.get(waiting)).body.state).toBe("canary");
});

test("a second one for the queue is refused with the name of the first; a cancelled one makes room", async () => {
  await using t = await setup();
  await deadEchoes(t, 2);
  const body = { filter: { queue: "drill" }, reason };
  const [one, two] = await Promise.all([
    t.api.post("/v1/replays", body),
    t.api.post("/v1/replays", body),
  ]);
  expect([one.status, two.status].sort()).toEqual([202, 409]);
  const path = (one.status === 202 ? one : two).headers.get("location") ?? "";
  expect((await t.api.post("/v1/replays", body)).body.detail).toContain(path);

  await t.api.post(`${path}/cancel`, { reason: "not now" }).expect(200);
  expect(await t.api.post(`${path}/cancel`, { reason })).toMatchObject({
    status: 409,
    body: { type: "/problems#replay-state" },
  });
  await t.api.post("/v1/replays", body).expect(202);
  const { actions } = await listActions(t.database.kysely, "all", { targetKind: "replay" });
  expect(actions.map(({ action }) => action).sort()).toEqual([
    "begin-replay",
    "begin-replay",
    "cancel-replay",
  ]);
});

test("a company's replay keeps neither another company nor an operator of all from theirs, and a letter of two is replayed once", {
  timeout: 90_000,
}, async () => {
  await using t = await setup();
  const [mine, theirs] = [await deadPdf(t), await deadPdf(t), await deadPdf(t)];
  const body = { filter: { queue: "pdf" }, canary: 0, ratePerSecond: 100, reason };
  const keys = [await t.keyFor(mine.companyId), await t.keyFor(theirs.companyId), t.adminKey];
  const paths: string[] = [];
  for (const key of keys) {
    const got = await t.as(key).post("/v1/replays", body).expect(202);
    paths.push(got.headers.get("location") ?? "");
  }
  for (const [n, key] of keys.entries())
    expect(await t.as(key).post("/v1/replays", body)).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining(paths[n] ?? "") },
    });

  await using _driver = drive(t);
  const ends = [];
  for (const path of paths) ends.push((await reach(t, path, "completed")).counts);
  expect(ends.map(({ letters }) => letters)).toEqual([1, 1, 3]);
  expect(ends.reduce((sum, { replayed }) => sum + replayed, 0)).toBe(3);
});

test("a company's replay is resumed beside another of its queue, but not beside its own", async () => {
  await using t = await setup();
  const mine = await deadPdf(t);
  const own = t.as(await t.keyFor(mine.companyId));
  const body = { filter: { queue: "pdf" }, reason };
  const path = (await own.post("/v1/replays", body).expect(202)).headers.get("location");
  await own.post(`${path}/cancel`, { reason }).expect(200);
  await t.api.post("/v1/replays", body).expect(202);
  await own.post(`${path}/resume`, { reason }).expect(200);
  await own.post(`${path}/cancel`, { reason }).expect(200);
  await own.post("/v1/replays", body).expect(202);
  expect((await t.api.post(`${path}/resume`, { reason })).status).toBe(409);
});

test("letters of one cause are found by its fingerprint", async () => {
  await using t = await setup();
  const [one] = await deadEchoes(t, 2);
  const incidentId = await incident(t, one === undefined ? [] : [one]);
  const filter = { queue: "drill", fingerprint: incidentId.replaceAll("-", "") };
  const { body } = await t.api.post("/v1/replays", { filter, dryRun: true, reason });
  expect(body).toMatchObject({ letters: 1, replayable: 1 });
});

test("a key of one company replays its own letters alone", async () => {
  await using t = await setup();
  await deadEchoes(t, 2);
  const key = await t.keyFor(randomUUID());
  const body = { filter: { queue: "drill" }, reason };
  expect((await t.as(key).post("/v1/replays", body)).body).toMatchObject({ letters: 0 });
});

describeEachEngine("a replay whose driver is killed", (engine) => {
  test("is taken over by another, and no letter is replayed twice", {
    timeout: 90_000,
  }, async () => {
    await using queue = await engine.open();
    await prepareEngine(queue.url);
    await using t = await setup({ queueUrl: queue.url, prefix: queue.prefix, dispatching: true });
    const letters = await deadEchoes(t, 30, (n) => (n % 10 === 9 ? `still-broken-${n}` : `n${n}`));
    const done: string[] = [];
    await using _worker = await startWorker({
      queue: echo.queue,
      engine: t.engine,
      store: t.store as never,
      telemetry: t.telemetry,
      handlers: [
        handle(echo, async ({ payload: { id } }) => {
          done.push(id);
          if (id.startsWith("still")) throw new PermanentError("broken", "still broken");
          return { id };
        }),
      ],
    });
    const asked = await t.api
      .post("/v1/replays", { filter: { queue: "drill" }, ratePerSecond: 20, canary: 2, reason })
      .expect(202);
    const path = asked.headers.get("location") ?? "";
    {
      await using _first = drive(t);
      await until(async () => (await t.api.get(path)).body.counts.replayed >= 5, {
        deadlineMs: 30_000,
      });
    }
    // As a killed one leaves it: its lease still runs.
    await using _second = drive(t);
    const completed = await reach(t, path, "completed", "stopped");
    expect(completed.counts).toMatchObject({ letters: 30, replayed: 30, pending: 0 });
    await until(() => done.length === letters.length, { deadlineMs: 20_000 });
    expect(new Set(done).size).toBe(letters.length);
    await until(
      async () =>
        (await t.api.get("/v1/dead-letters?state=open")).body.deadLetters.filter(
          ({ generation }: { generation: number }) => generation === 2,
        ).length === 3,
      { deadlineMs: 20_000 },
    );
  });
});
