import { until } from "@ballast/testing";
import { sql } from "kysely";
import { numberOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import type { Stack } from "../stack/stack.ts";

/** What may be put into a queue by hand, and the code it is parked with. */
const POISON: ReadonlyArray<readonly [name: string, data: unknown, code: string]> = [
  ["no envelope", { hello: "world" }, "no_envelope"],
  ["nothing", null, "no_envelope"],
  ["a list", [1, 2, 3], "no_envelope"],
  ["a version of text", { v: "1", payload: { id: "1" } }, "no_envelope"],
  ["a version of 0", { v: 0, payload: { id: "1" } }, "no_envelope"],
  ["half a version", { v: 1.5, payload: { id: "1" } }, "no_envelope"],
  ["a wrong type", { v: 1, payload: { id: 7 } }, "invalid_payload"],
  ["a missing field", { v: 1, payload: {} }, "invalid_payload"],
  ["too much", { v: 1, payload: { id: "x".repeat(1_100_000) } }, "no_envelope"],
  [
    "hostile strings",
    { v: 1, payload: { id: ["<script>", "{{7*7}}", "'; DROP TABLE job_runs; --"] } },
    "invalid_payload",
  ],
];

/** Poison put straight into a queue: each is parked once with its reason, and nobody else notices. */
export const poisoned = defineDrill({
  name: "poisoned",
  promise:
    "poison of every kind in the queue: each parked once with its reason, workers stay up, healthy jobs go on",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "payloads being checked before the handler",
      file: "packages/jobs/src/attempt.ts",
      find: "payload = parsePayload(handler.contract, run.payload);",
      replace: "payload = run.payload;",
    },
  ],
  async run(t) {
    const stack = await t.open({ apps: { "dlq-notifier": 1 }, echoWorkers: 1 });
    const rounds = t.sized(1, 20);
    const queue = stack.otherTeam.queue("drill");
    let expected = 0;
    for (let round = 0; round < rounds; round++) {
      for (const [name, data] of POISON) {
        await queue.add("echo", data, { jobId: `poison-${round}-${name.replaceAll(" ", "-")}` });
        expected += 1;
      }
      const healthy = { v: 1, payload: { id: `healthy-${round}` } };
      await queue.addBulk(
        Array.from({ length: 10 }, (_, n) => ({
          name: "echo",
          data: healthy,
          opts: { jobId: `healthy-${round}-${n}` },
        })),
      );
    }
    const began = performance.now();
    const unparsable = await putUnparsable(stack);
    expected += unparsable;

    t.tell("each is parked");
    const letters = () => numberOf(stack.db, sql`dead_letters`);
    await until(async () => (await letters()) >= expected, {
      deadlineMs: t.sized(30_000, 120_000),
    }).catch(() => {});
    const parkedMs = performance.now() - began;
    await untilAllOver(stack.db, 30_000);

    t.figure("poison", expected);
    t.figure("letters", await letters());
    t.figure("parkedMs", parkedMs);
    const healthyDone = await numberOf(stack.db, sql`job_runs WHERE state = 'completed'`);
    t.figure("healthyCompleted", healthyDone);
    t.must("each is parked, once", (await letters()) === expected);
    for (const [name, , code] of POISON)
      t.must(
        `${name} is parked as ${code}`,
        (await numberOf(
          stack.db,
          sql`dead_letters WHERE code = ${code} AND engine_job_id LIKE ${`poison-%-${name.replaceAll(" ", "-")}@%`}`,
        )) === rounds,
      );
    if (unparsable > 0)
      t.must(
        "what cannot be parsed is parked as such",
        (await numberOf(stack.db, sql`dead_letters WHERE code = 'unparsable'`)) === unparsable,
      );
    t.must("every healthy job is done", healthyDone === rounds * 10);
    t.must("the worker stays up", stack.replicas("echo-worker").length === 1);
  },
});

/** A hash that was cut off in the middle; PostgreSQL keeps jsonb, which cannot be. @returns how many */
async function putUnparsable({ otherTeam }: Stack): Promise<number> {
  const redis = otherTeam.redis();
  if (redis === undefined) return 0;
  const queue = otherTeam.queue("drill");
  await queue.pause();
  await queue.add("echo", { v: 1, payload: { id: "cut" } }, { jobId: "poison-unparsable" });
  await redis.hset("bull:drill:poison-unparsable", "data", '{"v":1,"payl');
  await queue.resume();
  return 1;
}
