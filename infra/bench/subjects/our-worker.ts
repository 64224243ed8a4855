/** The runtime as the apps use it, around a handler that does nothing. */
import { drill, echo } from "@ballast/contracts";
import { openDatabase, openRunStore } from "@ballast/database";
import {
  createRequests,
  type Handler,
  handle,
  openEngine,
  type RunStore,
  startWorker,
} from "@ballast/jobs";
import { openTelemetry, openTracing, type Tracer } from "@ballast/service";
import { openFinishLine } from "../src/finish-line.ts";
import { atATime, latencies, measured, serveSubject } from "../src/subject-program.ts";

const CONCURRENCY = 50;
const nothing = handle(echo, async ({ payload }) => ({ id: payload.id }));

interface Settings {
  readonly url: string;
  readonly count: number;
  readonly prefix?: string;
  /** With a journal, there. */
  readonly databaseUrl?: string;
  /** With a span for each attempt, all of them sent there. */
  readonly collectorUrl?: string;
}

const line = openFinishLine();

serveSubject({
  /** Until this process ends, with the journal. */
  work: async ({ databaseUrl, ...settings }: Omit<Settings, "count">) => {
    const store = openRunStore(await openDb(databaseUrl ?? ""));
    const crossing = handle(echo, async ({ payload }) => {
      line.crossed(payload.id);
      return { id: payload.id };
    });
    const forEver = { ...settings, count: Number.POSITIVE_INFINITY };
    const { promise, resolve } = Promise.withResolvers<void>();
    work(forEver, store, crossing, { started: resolve }).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
    await promise;
    return {};
  },
  expect: async ({ count }: { count: number }) => {
    line.expect(count);
    return {};
  },
  finished: () => line.all(),
  drain: async (settings: Settings) => {
    await using open = new AsyncDisposableStack();
    const { databaseUrl } = settings;
    const store =
      databaseUrl === undefined ? noStore() : openRunStore(open.use(await openDb(databaseUrl)));
    const { collectorUrl } = settings;
    const tracer = collectorUrl && open.use(tracingTo(collectorUrl)).tracer;
    return await measured(settings.count, () =>
      work(settings, store, nothing, tracer ? { tracer } : {}),
    );
  },
  /** Record so many wishes, fifty at a time as an API does. */
  ask: async ({ databaseUrl = "", count }: Settings) => {
    await using open = new AsyncDisposableStack();
    const database = open.use(await openDb(databaseUrl));
    const requests = createRequests({ store: openRunStore(database) });
    const wish = { companyId: null, requestedBy: "bench" };
    return await measured(count, () =>
      atATime(CONCURRENCY, count, (n) =>
        database.transaction((tx) => requests.ask(tx, echo, { id: String(n) }, wish)),
      ),
    );
  },
  pickUp: async (settings: Settings) => {
    const waitsMs: number[] = [];
    const noting = handle(echo, async ({ payload }) => {
      waitsMs.push(performance.timeOrigin + performance.now() - Number(payload.id));
      return { id: payload.id };
    });
    await work(settings, noStore(), noting);
    return latencies(waitsMs);
  },
});

/** Work until `count` jobs are done, and all that was noted of them is written. */
async function work(
  { url, count, prefix }: Settings,
  store: RunStore<never>,
  handler: Handler,
  { started, tracer }: { started?: () => void; tracer?: Tracer } = {},
): Promise<void> {
  const stopping = new AbortController().signal;
  const { telemetry } = openTelemetry({ service: "bench", level: "warn", stopping });
  await using engine = openEngine(url, {
    log: telemetry.log,
    ...(prefix === undefined ? {} : { prefix }),
  });
  let done = 0;
  const all = Promise.withResolvers<void>();
  const jobs = {
    ...telemetry.jobs,
    attemptEnded: (end: Parameters<typeof telemetry.jobs.attemptEnded>[0]) => {
      telemetry.jobs.attemptEnded(end);
      done += 1;
      if (done === count) all.resolve();
    },
  };
  await using _worker = await startWorker({
    queue: drill,
    handlers: [handler],
    engine,
    store,
    telemetry: { ...telemetry, jobs, ...(tracer === undefined ? {} : { tracer }) },
    concurrency: CONCURRENCY,
  });
  started?.();
  await all.promise;
}

const tracingTo = (endpoint: string) =>
  openTracing(
    { endpoint, headers: {}, resource: {}, share: 1 },
    {
      service: "bench",
      version: "0",
      log: { info() {}, warn: console.error },
      counted() {},
    },
  );

const openDb = (url: string) =>
  openDatabase(url, { applicationName: "bench", poolMax: 5, connectTimeoutMs: 60_000 });

/** Knows every run and writes nothing down. */
function noStore(): RunStore<never> {
  const nothing = async () => {};
  const none = async () => [];
  const store: Partial<RunStore<never>> = {
    start: async (starts) =>
      starts.map(({ engineJobId }) => ({
        kind: "go",
        run: {
          id: engineJobId,
          job: echo.name,
          version: echo.version,
          payload: { id: idOf(engineJobId) },
          companyId: null,
          subject: null,
          slot: null,
          deadlineAt: new Date(Date.now() + 60_000),
          createdAt: new Date(),
          attemptsMade: 0,
          requestId: null,
          traceparent: null,
        },
      })),
    ended: nothing,
    progressed: nothing,
    cancelled: none,
    touch: nothing,
  };
  return store as RunStore<never>;
}

/** The moment it was added where a latency is measured; the engine's id else. */
const idOf = (engineJobId: string): string =>
  engineJobId.split("~")[1]?.split("@")[0] ?? engineJobId;
