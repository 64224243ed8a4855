/**
 * A worker for `echo`, which no app of ours does: the same runtime, the same service around it.
 *
 * ECHO_MS: how long one takes. What a payload's id asks for beyond that is told in `echo-handlers.ts`.
 */
import { drill } from "@ballast/contracts";
import { openDatabase, openRunStore } from "@ballast/database";
import { openEngine, runWorker } from "@ballast/jobs";
import {
  queueConfig,
  readEnv,
  runService,
  serviceConfig,
  serviceEnv,
  storesEnv,
} from "@ballast/service";
import { z } from "zod";
import { echoHandlers } from "./echo-handlers.ts";

const Env = z.object({
  ...serviceEnv,
  ...storesEnv,
  ECHO_MS: z.coerce.number().int().min(0).default(0),
  ECHO_BLOCK_UNTIL: z.string().optional(),
  /** 2 is a later release: it knows a second version of `echo`, and a job that 1 never heard of. */
  ECHO_RELEASE: z.coerce.number().int().min(1).max(2).default(1),
  ECHO_MENDED: z.stringbool().default(false),
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

    await runWorker({
      queue: drill,
      handlers: echoHandlers(database, {
        takesMs: env.ECHO_MS,
        blocksUntil: env.ECHO_BLOCK_UNTIL,
        release: env.ECHO_RELEASE,
        mended: env.ECHO_MENDED,
      }),
      engine,
      store: openRunStore(database),
      telemetry,
      concurrency: env.ECHO_CONCURRENCY,
    });
  },
);
