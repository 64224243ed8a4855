/**
 * A worker for `echo`, which no app of ours does: the same runtime, the same service around it.
 *
 * ECHO_MS: how long one takes. A payload's id may ask for trouble: `crash-…` throws outside of its
 * promise, `block-…` holds the event loop for longer than its lock lasts, `fail-…` fails every time,
 * `wait-…` is told to come back in a minute, `slow-…` takes 60 s.
 */
import { setTimeout as pause } from "node:timers/promises";
import { drill, echo } from "@ballast/contracts";
import { openDatabase, openRunStore } from "@ballast/database";
import { handle, openEngine, RateLimitedError, runWorker, TransientError } from "@ballast/jobs";
import {
  queueConfig,
  readEnv,
  runService,
  serviceConfig,
  serviceEnv,
  storesEnv,
} from "@ballast/service";
import { sql } from "kysely";
import { z } from "zod";

const Env = z.object({
  ...serviceEnv,
  ...storesEnv,
  ECHO_MS: z.coerce.number().int().min(0).default(0),
  ECHO_CONCURRENCY: z.coerce.number().int().min(1).default(drill.concurrency),
});

await runService(
  "echo-worker",
  () => {
    const env = readEnv(Env, process.env);
    return { ...serviceConfig(env), env };
  },
  async ({ config: { env }, telemetry }) => {
    const { log } = telemetry;
    await using database = await openDatabase(env.DATABASE_URL, {
      applicationName: "echo",
      poolMax: 5,
      log,
    });
    const { url, prefix } = queueConfig(env);
    await using engine = openEngine(url, { log, prefix });
    telemetry.readiness("database", () => database.ping());
    telemetry.readiness("queue", () => engine.ping(1_000));

    /** One row for each time the work was really done: twice for one run is a doubled effect. */
    const done = (runId: string) =>
      sql<{ n: number }>`SELECT count(*)::int AS n FROM drill_effects WHERE run_id = ${runId}`
        .execute(database.kysely)
        .then(({ rows }) => (rows[0]?.n ?? 0) > 0);
    const handler = handle(echo, async ({ payload: { id }, signal, lease, runId }) => {
      await trouble(id);
      await pause(id.startsWith("slow-") ? 60_000 : env.ECHO_MS, undefined, { signal });
      return await lease.step(async () => {
        if (!(await done(runId)))
          await sql`INSERT INTO drill_effects (run_id, id) VALUES (${runId}, ${id})`.execute(
            database.kysely,
          );
        return { id };
      });
    });
    await runWorker({
      queue: drill,
      handlers: [handler],
      engine,
      store: openRunStore(database),
      telemetry,
      concurrency: env.ECHO_CONCURRENCY,
    });
  },
);

async function trouble(id: string): Promise<void> {
  const [kind] = id.split("-", 1);
  if (kind === "crash")
    await new Promise(() => {
      setImmediate(() => {
        throw new Error(`${id} throws where nobody catches it`);
      });
    });
  if (kind === "block") blockFor(drill.lockDurationMs * 2);
  if (kind === "fail") throw new TransientError("drilled", `${id} fails every time`);
  if (kind === "wait")
    throw new RateLimitedError("drilled", `${id} is to come back`, { retryAfterMs: 60_000 });
}

function blockFor(ms: number): void {
  const until = Date.now() + ms;
  while (Date.now() < until);
}
