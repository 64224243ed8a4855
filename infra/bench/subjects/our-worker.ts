/** The runtime as the apps use it, around a handler that does nothing. */
import { drill, echo } from "@ballast/contracts";
import { openDatabase, openRunStore } from "@ballast/database";
import { handle, openEngine, type RunStore, startWorker } from "@ballast/jobs";
import { openTelemetry } from "@ballast/service";
import { measured, serveSubject } from "../src/subject-program.ts";

const CONCURRENCY = 50;
const handler = handle(echo, async ({ payload }) => ({ id: payload.id }));

serveSubject({
  drain: async (settings: { url: string; count: number; databaseUrl?: string }) => {
    const { url, count, databaseUrl } = settings;
    await using open = new AsyncDisposableStack();
    const store =
      databaseUrl === undefined ? noStore() : openRunStore(open.use(await openDb(databaseUrl)));
    const { telemetry } = openTelemetry({
      service: "bench",
      level: "warn",
      stopping: new AbortController().signal,
    });
    return await measured(count, async () => {
      await using engine = openEngine(url, { log: telemetry.log });
      let done = 0;
      const all = Promise.withResolvers<void>();
      const counting = {
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
        telemetry: { ...telemetry, jobs: counting },
        concurrency: CONCURRENCY,
      });
      await all.promise;
    });
  },
});

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
          payload: { id: engineJobId },
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
