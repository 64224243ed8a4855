import { NO_VERSION } from "./adoption.ts";
import type { BeginTools } from "./begin.ts";
import type { Engine, JammedJob } from "./engine/engine.ts";
import { journalId, uuidv7 } from "./identity.ts";
import type { RunStore } from "./store.ts";
import type { Log } from "./telemetry.ts";
import { isUnreachable } from "./unreachable.ts";

const EVERY_MS = 15_000;
/** It has ended already; this only keeps the reconciler from asking for it. */
const DEADLINE_MS = 24 * 3_600_000;
const MAX_NAME_LENGTH = 200;

export interface JanitorOptions {
  readonly engine: Pick<Engine, "jammed" | "removeJammed">;
  readonly store: Pick<RunStore<never>, "ended">;
  readonly tools: Pick<BeginTools, "queue" | "adopt" | "worker">;
  readonly log: Log;
}

export interface Janitor extends AsyncDisposable {
  /** Look now: a job could not be parsed a moment ago. */
  nudge(): void;
}

/** Park the jobs of a queue that can never begin, and take them out of the engine. */
export function startJanitor(options: JanitorOptions): Janitor {
  const { log } = options;
  let sweeping: Promise<void> | undefined;
  let again = false;
  const sweep = async () => {
    do {
      again = false;
      await parkJammed(options).catch((error: unknown) =>
        log.warn({ err: error }, "could not look for jobs that can never begin; will retry"),
      );
    } while (again);
    sweeping = undefined;
  };
  const nudge = () => {
    again = true;
    sweeping ??= sweep();
  };
  const timer = setInterval(nudge, EVERY_MS).unref();
  return {
    nudge,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      again = false;
      await sweeping;
    },
  };
}

async function parkJammed({ engine, store, tools, log }: JanitorOptions): Promise<void> {
  for (const job of await engine.jammed(tools.queue.name)) {
    const { engineJobId, why } = job;
    try {
      await park(job, { store, tools });
      // Last: were it gone before, nobody would know that it ever was.
      await engine.removeJammed(tools.queue.name, engineJobId);
      log.error({ engineJobId, why, code: "unparsable" }, "run died: its job cannot be parsed");
    } catch (error) {
      if (isUnreachable(error)) throw error;
      log.error(
        { err: error, engineJobId, why },
        "a job that cannot be parsed could not be parked",
      );
    }
  }
}

/** Write it down as a run that is dead. Safe to repeat: a dead one stays as it is. */
async function park(
  job: JammedJob,
  { store, tools }: Pick<JanitorOptions, "store" | "tools">,
): Promise<void> {
  const createdAt = new Date(job.createdMs);
  const attemptId = uuidv7();
  const started = await tools.adopt({
    attemptId,
    queue: tools.queue.name,
    engineJobId: journalId({ ...job, createdAt }),
    worker: tools.worker,
    alone: true,
    job: job.name.slice(0, MAX_NAME_LENGTH) || "unnamed",
    version: NO_VERSION,
    payload: { refused: job.why, raw: job.raw },
    companyId: null,
    subject: null,
    slot: null,
    deadlineAt: new Date(Date.now() + DEADLINE_MS),
    requestId: null,
    requestedBy: null,
    traceparent: null,
    createdAt,
  });
  if (started.kind !== "go") return;
  const now = new Date();
  await store.ended([
    {
      attemptId,
      runId: started.run.id,
      outcome: "dead",
      startedAt: now,
      endedAt: now,
      worker: tools.worker,
      result: null,
      code: "unparsable",
      message: job.why,
      stack: null,
      nextAttemptAt: null,
    },
  ]);
}
