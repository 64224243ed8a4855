import { type AnyJob, ContractError, parsePayload } from "@ballast/contracts";
import { NO_VERSION, refusal } from "./adoption.ts";
import { type BeginTools, begin } from "./begin.ts";
import type { Delivery } from "./engine/engine.ts";
import { DependencyDownError, PermanentError, TransientError } from "./errors.ts";
import { execute, type Workplace } from "./execute.ts";
import { StopSwitch } from "./lease.ts";
import { type Circumstances, classify, type Outcome, postpone } from "./outcome.ts";
import type { Quarantine } from "./quarantine.ts";
import { attemptSpan, tellOutcome } from "./spans.ts";
import type { AttemptEnd, Run, Start, Started } from "./store.ts";
import { type Tracer, traced } from "./tracing.ts";

/** Wait for another run of the slot; the dispatcher hands over none that would, so this is rare. */
const SLOT_WAIT_MS = 1_000;
/** Wait for the report of a worker that the engine has forgotten: longer than the journal gathers ends. */
const REPORT_WAIT_MS = 2_000;
/** Wait of a job that a newer producer sent, until newer workers are here. */
const NEWER_WAIT_MS = 30_000;
const NO_DEADLINE = new Date(8.64e15);

export interface AttemptTools extends BeginTools, Workplace {
  readonly quarantine: Quarantine;
  readonly tracer?: Tracer | undefined;
}

export interface EndedAttempt {
  readonly outcome: Outcome;
  /** What to write down once the engine was told; absent where no attempt took place. */
  readonly end?: AttemptEnd;
  /** Where it stands in a trace, if anywhere. */
  readonly traceparent?: string | null;
  /** The process may end before a batch is written: the next suspect runs in it. */
  readonly cannotWait?: boolean;
}

/** Take one delivery from the engine to its outcome. Never throws. */
export async function runAttempt(delivery: Delivery, tools: AttemptTools): Promise<EndedAttempt> {
  using place = tools.quarantine.beside();
  if (place === undefined) return { outcome: { kind: "interrupted", reason: "quarantine" } };
  // Before the start is written: PostgreSQL may take longer for it than the lock lasts.
  using _lock = tools.running.hold(delivery.engineJobId);
  try {
    const begun = await begin(delivery, tools);
    if (begun.started.kind !== "suspect") return await afterStart(begun, delivery, tools);
    place[Symbol.dispose]();
    return await runAlone(begun.started.runId, begun.start.attemptId, delivery, tools);
  } catch (error) {
    return { outcome: journalDown(error, delivery) };
  }
}

/** Wait until nothing else runs in this process, and begin again. What ends the wait hands the job back. */
async function runAlone(
  runId: string,
  attemptId: string,
  delivery: Delivery,
  tools: AttemptTools,
): Promise<EndedAttempt> {
  const stop = new StopSwitch();
  const { engineJobId } = delivery;
  using watched = tools.running.watch(attemptId, { runId, engineJobId, stop });
  tools.log.warn({ runId }, "a process ended while this run was in it; it waits to run alone");
  using place = await tools.quarantine.alone(stop.signal);
  if (place === undefined)
    return { outcome: { kind: "interrupted", reason: stop.cause ?? "quarantine" } };
  watched[Symbol.dispose]();
  const ended = await afterStart(await begin(delivery, tools, true), delivery, tools);
  return { ...ended, cannotWait: true };
}

async function afterStart(
  { start, started }: Awaited<ReturnType<typeof begin>>,
  delivery: Delivery,
  tools: AttemptTools,
): Promise<EndedAttempt> {
  const startedAt = new Date();
  if (started.kind === "over") return { outcome: overAlready(started) };
  if (started.kind === "running") return { outcome: stillRunning(delivery) };
  if (started.kind !== "go") return { outcome: slotBusy(delivery) };

  const { outcome, traceparent } = await traced(
    tools.tracer,
    () => attemptSpan(tools.queue.name, started.run, delivery),
    async (span) => {
      // What the handler asks for, and what it logs, belongs to this attempt.
      const run = span ? { ...started.run, traceparent: span.traceparent } : started.run;
      const outcome = await workOn(run, start, delivery, tools);
      if (span) tellOutcome(span, outcome);
      return { outcome, traceparent: run.traceparent };
    },
  );
  return { outcome, end: endOf(outcome, started.run, start, startedAt), traceparent };
}

async function workOn(
  run: Run,
  start: Start,
  delivery: Delivery,
  tools: AttemptTools,
): Promise<Outcome> {
  const handler = tools.handlers.get(run.job);
  const at: Omit<Circumstances, "now" | "abortedBy"> = {
    contract: handler?.contract ?? UNKNOWN_CONTRACT,
    attempt: Math.max(run.attemptsMade, delivery.attemptsMade) + 1,
    deadlineAt: run.deadlineAt,
  };
  const end = (thrown: unknown, abortedBy?: Circumstances["abortedBy"]) =>
    classify(thrown, { ...at, abortedBy, now: new Date() });

  if (run.version === NO_VERSION)
    return end(
      new PermanentError(
        "no_envelope",
        refusal(run.payload) ??
          "data is no envelope { v, payload, meta? } with a whole v of 1 or more",
      ),
    );
  if (handler === undefined || run.version > handler.contract.version) {
    const known = handler === undefined ? "no such job" : `at most v${handler.contract.version}`;
    const error = new DependencyDownError(
      "newer_than_worker",
      `${run.job} v${run.version} waits for a newer worker; this one knows ${known}`,
    );
    return postpone(error, NEWER_WAIT_MS, { ...at, abortedBy: undefined, now: new Date() });
  }
  if (run.version < handler.contract.oldestVersion)
    return end(
      new PermanentError(
        "version_retired",
        `${run.job} v${run.version} is retired; the oldest kept is v${handler.contract.oldestVersion}`,
      ),
    );
  if (run.deadlineAt.getTime() <= Date.now())
    return end(
      new PermanentError("deadline_exceeded", `deadline was ${run.deadlineAt.toISOString()}`),
    );

  let payload: unknown;
  try {
    payload = parsePayload(handler.contract, run.payload);
  } catch (error) {
    if (!(error instanceof ContractError)) return end(error);
    return end(new PermanentError("invalid_payload", error.message, { cause: error }));
  }
  const begun = { attemptId: start.attemptId, engineJobId: delivery.engineJobId };
  const { result, thrown, cause } = await execute(handler, payload, run, begun, at.attempt, tools);
  if (thrown !== undefined) return end(thrown.value, cause);

  try {
    return { kind: "completed", result: keepable(handler.contract, result) };
  } catch (error) {
    return end(error);
  }
}

/** The result as its contract has it. @throws {PermanentError} if that or JSON does not take it */
function keepable(contract: AnyJob, result: unknown): unknown {
  const checked = contract.result.safeParse(result);
  const broken = (why: string) =>
    new PermanentError("result_breaks_contract", `result of ${contract.name}: ${why}`);
  if (!checked.success) throw broken(checked.error.message);
  try {
    JSON.stringify(checked.data);
  } catch (error) {
    // BullMQ would take it for a failure and do the finished work again, for ever.
    throw broken(`no JSON: ${error instanceof Error ? error.message : error}`);
  }
  return checked.data;
}

const UNKNOWN_CONTRACT: Pick<AnyJob, "name" | "attempts" | "backoff" | "timeoutMs"> = {
  name: "unknown",
  attempts: 1,
  backoff: { type: "fixed", delayMs: NEWER_WAIT_MS, jitter: 0 },
  timeoutMs: NEWER_WAIT_MS,
};

const journalDown = (cause: unknown, delivery: Delivery): Outcome =>
  putOff(
    delivery,
    5_000,
    "journal_down",
    "PostgreSQL did not take the start of this attempt",
    cause,
  );

const slotBusy = (delivery: Delivery): Outcome =>
  putOff(delivery, SLOT_WAIT_MS, "slot_busy", "another run of this slot is started");

const stillRunning = (delivery: Delivery): Outcome =>
  putOff(
    delivery,
    REPORT_WAIT_MS,
    "still_running",
    "the engine has forgotten that a worker has this run, which may be about to report",
  );

/** Before anything is known of the job: no attempt is counted and no deadline looked at. */
const putOff = (
  { attemptsMade }: Delivery,
  waitMs: number,
  code: string,
  message: string,
  cause?: unknown,
): Outcome =>
  postpone(new DependencyDownError(code, message, cause === undefined ? {} : { cause }), waitMs, {
    contract: UNKNOWN_CONTRACT,
    attempt: attemptsMade + 1,
    abortedBy: undefined,
    now: new Date(),
    deadlineAt: NO_DEADLINE,
  });

function overAlready(over: Extract<Started, { kind: "over" }>): Outcome {
  if (over.state === "completed") return { kind: "completed", result: over.result };
  if (over.state === "cancelled") return { kind: "cancelled" };
  return {
    kind: "dead",
    error: new PermanentError("dead_already", over.error ?? "the run is dead"),
  };
}

function endOf(outcome: Outcome, run: Run, start: Start, startedAt: Date): AttemptEnd {
  const endedAt = new Date();
  const error = "error" in outcome ? outcome.error : undefined;
  return {
    attemptId: start.attemptId,
    runId: run.id,
    outcome: outcome.kind,
    startedAt,
    endedAt,
    worker: start.worker,
    result: outcome.kind === "completed" ? outcome.result : null,
    code: error?.code ?? null,
    message: error?.message ?? null,
    stack: error instanceof TransientError ? (error.stack ?? null) : null,
    nextAttemptAt: "delayMs" in outcome ? new Date(endedAt.getTime() + outcome.delayMs) : null,
  };
}
