import { until } from "@ballast/testing";
import { sql } from "kysely";
import { doubledEffects, numberOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import type { Stack } from "../stack/stack.ts";

/** So many go ahead. */
const CANARY = 5;

/** Letters are replayed at a rate while the API is killed, and a tenth of them is not mended. */
export const replay = defineDrill({
  name: "replay",
  promise:
    "1,000 letters replayed at 50/s, the API killed halfway, 10 % not mended: it resumes, holds its rate, parks those again, doubles nothing",
  sabotages: [
    {
      without: "another driver following one that died",
      file: "packages/database/src/replays/drive.ts",
      find: "OR driven_until < now())",
      replace: "OR false)",
    },
  ],
  async run(t) {
    const [letters, perSecond] = t.sized([100, 20], [1_000, 50]);
    const stack = await t.open({ apps: { api: 1, "dlq-notifier": 1 } });
    const broken = await stack.start("echo-worker");
    t.tell("all of them die");
    for (let n = 0; n < letters; n++) {
      const id = n % 10 === 9 ? `die-${n}` : `brittle-${n}`;
      await stack.api.post("/v1/jobs", { job: "echo", payload: { id } });
    }
    await untilAllOver(stack.db, 60_000);
    await broken.stop();
    await stack.start("echo-worker", { ECHO_MENDED: "true" });

    t.tell("they are replayed");
    const asked = await stack.api.post("/v1/replays", {
      filter: { queue: "drill" },
      ratePerSecond: perSecond,
      canary: CANARY,
      reason: "most of it is mended",
    });
    const path = asked.headers.get("location") ?? "";
    const { body: early } = await stack.api.get(path);
    const [driver] = stack.replicas("api");
    await until(async () => (await replayed(stack)) >= letters / 2, { deadlineMs: 60_000 });
    t.tell("the API is killed halfway");
    await driver?.kill();
    await stack.start("api");
    await until(async () => (await stack.api.get(path)).body?.finishedAt, {
      deadlineMs: t.sized(30_000, 120_000),
    }).catch(() => {});
    await untilAllOver(stack.db, 30_000);
    const { body: done } = await stack.api.get(path);
    const again = await numberOf(
      stack.db,
      sql`dead_letters WHERE generation = 2 AND replay_of IS NOT NULL`,
    );
    const rate = await ratePerSecondOf(stack);

    t.figure("letters", letters);
    t.figure("state", done?.state ?? "none");
    t.figure("replayed", done?.counts?.replayed ?? 0);
    t.figure("parkedAgain", again);
    t.figure("ratePerSecond", rate);
    t.figure("doubledEffects", await doubledEffects(stack.db));
    t.must("it was under way", early?.counts?.letters === letters);
    t.must("it is completed, in spite of the kill", done?.state === "completed");
    t.must("every letter is replayed", done?.counts?.replayed === letters);
    t.must("what is not mended is parked again, with its lineage", again === letters / 10);
    t.must("the rate is held within 10 %", Math.abs(rate / perSecond - 1) <= 0.1);
    t.must("no effect is doubled", (await doubledEffects(stack.db)) === 0);
  },
});

const replayed = ({ db }: Stack): Promise<number> =>
  numberOf(db, sql`replay_letters WHERE state = 'replayed'`);

/**
 * Over the time in which it was driven at a pace: what lies between two letters for longer than a second
 * was none, nor was the wait for those that went ahead.
 */
async function ratePerSecondOf({ db }: Stack): Promise<number> {
  const { rows } = await sql<{ rate: number }>`
    SELECT (count(gap) / extract(epoch FROM sum(gap)))::float8 AS rate FROM (
      SELECT done_at - lag(done_at) OVER (ORDER BY done_at) AS gap FROM replay_letters
      WHERE position > ${CANARY}) g
    WHERE gap < interval '1 second'`.execute(db.kysely);
  return rows[0]?.rate ?? 0;
}
