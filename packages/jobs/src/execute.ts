import { workingOn } from "./crash.ts";
import type { Handler } from "./handler.ts";
import type { Journal } from "./journal.ts";
import { StopSwitch } from "./lease.ts";
import type { AbortCause } from "./outcome.ts";
import type { Running } from "./running.ts";
import type { Run } from "./store.ts";
import type { Log } from "./telemetry.ts";
import { traceIdOf } from "./tracing.ts";

/** A handler told to stop has this long to let go before it is left behind. */
const LET_GO_MS = 500;
/** The same for one inside an irreversible step, which should learn how its call ended. */
const LET_GO_IN_STEP_MS = 5_000;
/** The same at the end of a shutdown's grace period: its outcome must still reach the engine. */
const LET_GO_IN_LAST_STEP_MS = 1_000;
const PROGRESS_EVERY_MS = 250;

/** What an attempt needs around it. */
export interface Workplace {
  readonly running: Running;
  readonly journal: Journal;
  readonly log: Log;
}

export interface Executed {
  readonly result?: unknown;
  /** Boxed, since a handler may throw `undefined`. */
  readonly thrown?: { readonly value: unknown };
  readonly cause?: AbortCause | undefined;
}

/** Run a handler under its timeout, its stop switch and its lease. */
export async function execute(
  handler: Handler,
  payload: unknown,
  run: Run,
  { attemptId, engineJobId }: { readonly attemptId: string; readonly engineJobId: string },
  attempt: number,
  { running, journal, log }: Workplace,
): Promise<Executed> {
  const stop = new StopSwitch();
  const startedAt = new Date();
  using _watched = running.watch(attemptId, { runId: run.id, engineJobId, startedAt, stop });
  const timeout = setTimeout(() => stop.stop("timeout"), handler.contract.timeoutMs);
  // Made for those that ask for it: most attempts tell nothing, and they are many.
  let progress: Throttled | undefined;
  let ownLog: Log | undefined;
  try {
    stop.check();
    const work = workingOn({ attemptId, runId: run.id, startedAt }, () =>
      handler.run({
        payload: payload as never,
        get signal() {
          return stop.signal;
        },
        get log() {
          ownLog ??= logOf(run, log);
          return ownLog;
        },
        progress(value) {
          progress ??= throttled((latest) =>
            journal.progressed({ runId: run.id, progress: latest }),
          );
          progress.set(value);
        },
        lease: stop,
        runId: run.id,
        requestId: run.requestId,
        attemptId,
        attempt,
        companyId: run.companyId,
        subject: run.subject,
        traceparent: run.traceparent,
      }),
    );
    return { result: await unlessLeftBehind(work, stop) };
  } catch (value) {
    return { thrown: { value }, cause: stop.cause };
  } finally {
    clearTimeout(timeout);
    progress?.end();
  }
}

/** What `work` comes to, or the reason of its stop some time after it was told, for handlers that do not listen. */
const unlessLeftBehind = (work: Promise<unknown>, stop: StopSwitch): Promise<unknown> =>
  new Promise((resolve, reject) => {
    Promise.resolve(work).then(resolve, reject);
    stop.whenStopped((reason) => setTimeout(() => reject(reason), letGoMs(stop)).unref());
  });

/** A line of a handler says whose it is; made for those that write one. */
const logOf = (run: Run, log: Log): Log =>
  log.child({
    job: run.job,
    runId: run.id,
    ...(run.subject === null ? {} : { subject: run.subject }),
    ...(run.traceparent === null ? {} : { traceId: traceIdOf(run.traceparent) }),
  });

function letGoMs({ inStep, cause }: StopSwitch): number {
  if (!inStep) return LET_GO_MS;
  return cause === "shutdown" ? LET_GO_IN_LAST_STEP_MS : LET_GO_IN_STEP_MS;
}

interface Throttled {
  set(value: unknown): void;
  end(): void;
}

/** Pass on the first value at once and then the latest, each a while after the one before. */
function throttled(write: (value: unknown) => void): Throttled {
  let timer: NodeJS.Timeout | undefined;
  let latest: { value: unknown } | undefined;
  const tick = () => {
    timer = undefined;
    if (latest === undefined) return;
    write(latest.value);
    latest = undefined;
    timer = setTimeout(tick, PROGRESS_EVERY_MS);
  };
  return {
    set(value) {
      latest = { value };
      if (timer === undefined) tick();
    },
    end() {
      clearTimeout(timer);
      timer = undefined;
      if (latest !== undefined) write(latest.value);
    },
  };
}
