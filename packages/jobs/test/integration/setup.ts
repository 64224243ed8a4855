import {
  type AnyJob,
  defineJob,
  defineQueue,
  type PayloadInput,
  type QueuePolicy,
} from "@ballast/contracts";
import { findJobByEngineId, findJobRequest, openRunStore, type Tx } from "@ballast/database";
import { createTestDatabase, type EngineUnderTest, until } from "@ballast/testing";
import { createPostgresBackend, Queue } from "bullmq";
import pg from "pg";
import { z } from "zod";
import {
  createRequests,
  type Handler,
  openEngine,
  prepareEngine,
  type RunStore,
  type RuntimeTelemetry,
  startDispatcher,
  startWorker,
} from "../../src/index.ts";

/** Recovery within 1.5 s, so that a test of a crash is short. */
export const queue = defineQueue("test", {
  lockDurationMs: 1_000,
  stalledIntervalMs: 250,
  concurrency: 5,
  handBackAfterMs: 200,
  gracePeriodMs: 3_000,
});

/** A job of the test queue; `change` sets its policy. */
export const testJob = (change: Partial<Parameters<typeof defineJob>[0]> = {}) =>
  defineJob({
    queue,
    name: "do-thing",
    version: 1,
    payload: z.object({ thing: z.string(), change: z.int().default(0) }),
    result: z.object({ done: z.string() }),
    ...(change as object),
  });

export const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

/** What else an engine tells its consumer, for one that cares about attempts alone. */
export const unheeded = {
  lockLost() {},
  locksRenewed() {},
  diedUnseen() {},
  stalled() {},
  canary() {},
  jammed() {},
};

export const quietTelemetry = (): RuntimeTelemetry => ({
  log: quiet,
  version: "1.2.3",
  liveness() {},
  stopping: new AbortController().signal,
  onFatal() {},
  jobs: { attemptEnded() {}, stalled() {}, dispatched() {}, canaryAge() {} },
});

/** Database, engine, dispatcher and workers of one test; disposing it closes them all. */
export async function setup(engineUnderTest: EngineUnderTest) {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const { url, prefix } = stack.use(await engineUnderTest.open());
  await prepareEngine(url);

  const telemetry = quietTelemetry();
  // The annotation holds the database's side of the port to this package's.
  const store: RunStore<Tx> = openRunStore(database.db);
  const openAnother = () => openEngine(url, { log: quiet, prefix });
  const engine = stack.use(openAnother());
  await until(() =>
    engine.ping().then(
      () => true,
      () => false,
    ),
  );
  const requests = createRequests({ store });
  const bullmq = stack.adopt(await openBullmq(url, prefix), (opened) => opened.close());

  const ask = <Job extends AnyJob>(job: Job, payload: PayloadInput<Job>, wish = {}) =>
    database.db.transaction((tx) =>
      requests.ask(tx, job, payload, { companyId: null, requestedBy: "test", ...wish }),
    );
  const view = async (requestId: string) => {
    const found = await findJobRequest(database.db.kysely, requestId, "all");
    if (found === undefined) throw new Error(`no request ${requestId}`);
    return found;
  };
  return {
    db: database.db,
    databaseUrl: database.url,
    url,
    prefix,
    store,
    engine,
    openAnother,
    telemetry,
    requests,
    /** BullMQ itself, as another team uses it. */
    queue: bullmq.queue,
    /** The journal's view of the newest job that another team added under this id. */
    theirs: async (jobId: string) => {
      const run = await database.db.kysely
        .selectFrom("jobRuns")
        .select("engineJobId")
        .where((eb) =>
          eb(eb.fn("left", ["engineJobId", eb.lit(jobId.length + 1)]), "=", `${jobId}@`),
        )
        .orderBy("createdAt", "desc")
        .executeTakeFirst();
      return run && (await findJobByEngineId(database.db.kysely, queue.name, run.engineJobId));
    },
    /** Loses all the engine has, as a failover does; what moves jobs meanwhile may meet it in a deadlock. */
    wipe: async () => {
      await until(() => bullmq.queue.obliterate({ force: true }).then(() => true));
      await engine.writeEpoch("a wiped engine has another epoch");
    },
    ask,
    view,
    dispatch: async (with_ = engine) => {
      const dispatcher = await startDispatcher({ store, engine: with_, telemetry });
      stack.use(dispatcher);
      return dispatcher;
    },
    work: async (handlers: readonly Handler[], policy: Partial<QueuePolicy> = {}) => {
      const own = { ...queue, ...policy };
      const worker = await startWorker({ queue: own, handlers, engine, store, telemetry });
      stack.use(worker);
      return worker;
    },
    /** Resolves with the request once its run is in one of `states`. */
    reach: (requestId: string, ...states: string[]) =>
      until(async () => {
        const found = await view(requestId);
        return states.includes(found.run.state) ? found : undefined;
      }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export type Setup = Awaited<ReturnType<typeof setup>>;

async function openBullmq(url: string, prefix: string) {
  if (url.startsWith("redis")) {
    const opened = new Queue(queue.name, { connection: { url }, prefix });
    return { queue: opened, close: () => opened.close() };
  }
  const pool = new pg.Pool({ connectionString: url, max: 3, options: "-c search_path=bullmq" });
  pool.on("error", () => {});
  const opened = new Queue(
    queue.name,
    { connection: pool as never },
    createPostgresBackend as never,
  );
  return {
    queue: opened as unknown as Queue,
    close: async () => {
      await opened.close();
      await pool.end();
    },
  };
}

/** A slot for each thing. */
export const byThing = (payload: Record<string, unknown>): string => String(payload["thing"]);
