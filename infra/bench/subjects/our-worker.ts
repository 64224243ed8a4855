/** The runtime as the apps use it, around a handler that does nothing. */
import { drill, echo } from "@ballast/contracts";
import { openDatabase, openRunStore } from "@ballast/database";
import { type Handler, handle, openEngine, type RunStore, startWorker } from "@ballast/jobs";
import { openTelemetry } from "@ballast/service";
import { latencies, measured, serveSubject } from "../src/subject-program.ts";

const CONCURRENCY = 50;
const nothing = handle(echo, async ({ payload }) => ({ id: payload.id }));

interface Settings {
  readonly url: string;
  readonly count: number;
  /** With a journal, there. */
  readonly databaseUrl?: string;
}

serveSubject({
  drain: async (settings: Settings) => {
    await using open = new AsyncDisposableStack();
    const { databaseUrl } = settings;
    const store =
      databaseUrl === undefined ? noStore() : openRunStore(open.use(await openDb(databaseUrl)));
    return await measured(settings.count, () => work(settings, store, nothing));
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
  { url, count }: Settings,
  store: RunStore<never>,
  handler: Handler,
): Promise<void> {
  const stopping = new AbortController().signal;
  const { telemetry } = openTelemetry({ service: "bench", level: "warn", stopping });
  await using engine = openEngine(url, { log: telemetry.log });
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
    telemetry: { ...telemetry, jobs },
    concurrency: CONCURRENCY,
  });
  await all.promise;
}

const openDb = (url: string) => openDatabase(url, { applicationName: "bench", poolMax: 5 });

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
const idOf = (engineJobId: string): string => engineJobId.split("~")[1] ?? engineJobId;
