import { BULK_PRIORITY } from "@ballast/contracts";
import type {
  JobRequestSummary,
  JobRequestView,
  QueuePause,
  RunView,
  ShutGate,
} from "@ballast/database";
import { isOver } from "../schemas/job.ts";
import type { EnginePeek } from "./engine-peek.ts";

/** Why nothing happens to a job right now, for a person to read. */
export interface Wait {
  readonly code:
    | "held"
    | "scheduled"
    | "slot_busy"
    | "not_handed_over"
    | "engine_unreachable"
    | "engine_lost_it"
    | "queue_paused"
    | "queued"
    | "starting"
    | "backing_off"
    | "bulk"
    | "postponed"
    | "gate_closed"
    | "handed_back"
    | "quarantined"
    | "cancelling"
    | "settling";
  readonly message: string;
  /** When that ends at the latest, as far as it is known. */
  readonly until?: string;
}

/** Where to look for what the job itself does not say; each is asked only if it would change the answer. */
export interface Sources {
  engine(run: RunView): Promise<EnginePeek>;
  /** The newest job that renders what this one is about. */
  pdfJob(run: RunView): Promise<JobRequestSummary | undefined>;
  /** What operators said of its queue last. */
  pause(run: RunView): Promise<QueuePause | undefined>;
  /** The remote it may wait for, if that is not called right now. */
  gate(run: RunView): Promise<ShutGate | undefined>;
}

/**
 * Say why a job waits: from the journal, and from the engine where it has the job.
 *
 * @returns `null` while an attempt runs and once the job is over
 */
export async function whyWaits(
  request: JobRequestView,
  sources: Sources,
  now: Date = new Date(),
): Promise<Wait | null> {
  const { run } = request;
  if (isOver(request)) return null;
  if (run.cancelRequestedAt !== null)
    return { code: "cancelling", message: "its worker was told to let go, and does so shortly" };
  if (run.runningAttemptId !== null) return null;
  if (run.state === "waiting" && run.heldFor !== null)
    return ofHold(run.heldFor, await sources.pdfJob(run));
  const told = ofJournal(request, now);
  if (told?.code === "postponed") return ofGate(await sources.gate(run), told);
  if (told !== undefined) return told;
  const pause = await sources.pause(run);
  // Not even handed over: whatever the engine says, it does not get it before the queue is resumed.
  if (pause?.paused && run.handedAt === null) return paused(run.queue, pause);
  return ofEngine(request, await sources.engine(run), pause);
}

/** By whom and why, where that was done here; another team may pause a queue by BullMQ alone. */
function paused(queue: string, pause: QueuePause | undefined): Wait {
  const by = pause?.paused
    ? ` by ${pause.changedBy} since ${pause.changedAt.toISOString()}: ${pause.reason}`
    : " in the queue engine itself";
  return { code: "queue_paused", message: `the queue "${queue}" is paused${by}` };
}

function ofJournal({ run, blockedBy }: JobRequestView, now: Date): Wait | undefined {
  if (run.state === "started") return betweenAttempts(run, now);
  if (run.dueAt !== null && run.dueAt > now)
    return { code: "scheduled", message: "is due later", until: run.dueAt.toISOString() };
  if (blockedBy !== null) {
    const other = blockedBy.requestId === null ? "" : `, /v1/jobs/${blockedBy.requestId},`;
    return {
      code: "slot_busy",
      message: `another run of the same work${other} is running; this one follows it`,
    };
  }
  return undefined;
}

function ofHold(key: string, pdfJob: JobRequestSummary | undefined): Wait {
  const [kind, invoiceId] = key.split(":");
  if (kind !== "document") return { code: "held", message: `is held until "${key}" is there` };
  const what = `waits for the PDF of invoice ${invoiceId}`;
  const again = `ask for it again with POST /v1/invoices/${invoiceId}/pdf`;
  if (pdfJob === undefined)
    return { code: "held", message: `${what}, which nobody renders: ${again}` };
  const { requestId, run } = pdfJob;
  const job = `/v1/jobs/${requestId}`;
  if (run.state === "dead" || run.state === "cancelled")
    return {
      code: "held",
      message: `${what}, but ${job} is ${run.state}${run.errorMessage === null ? "" : ` (${run.errorMessage})`}: ${again}`,
    };
  return { code: "held", message: `${what}: ${job} is ${run.state}` };
}

function betweenAttempts(run: RunView, now: Date): Wait | undefined {
  const { nextAttemptAt, waitCode, waitMessage } = run;
  if (nextAttemptAt === null || nextAttemptAt <= now) return undefined; // due: the engine knows more
  const until = nextAttemptAt.toISOString();
  const because = waitMessage === null ? "" : ` because: ${waitMessage}`;
  return waitCode === "backoff"
    ? {
        code: "backing_off",
        message: `attempt ${run.attemptsMade} failed; waits until ${until}${because}`,
        until,
      }
    : { code: "postponed", message: `put off until ${until}${because} (${waitCode})`, until };
}

/** A gate that moved since the run met it says more than what the run was told then. */
function ofGate(gate: ShutGate | undefined, told: Wait): Wait {
  if (gate === undefined) return told;
  const { kind, key, state, closedAt, code, message, nextProbeAt } = gate;
  const remote = kind === "marketplace" ? `marketplace account ${key}` : `${kind} ${key}`;
  const until = told.until === undefined ? "" : `; this one waits until ${told.until}`;
  if (state === "ramping")
    return {
      ...told,
      code: "gate_closed",
      message: `${remote} is back and called by a few at first${until}`,
    };
  const since = closedAt === null ? "" : ` since ${closedAt.toISOString()}`;
  // What others share is not to tell one of them about another.
  const why = kind === "marketplace" && message !== null ? `${code}: ${message}` : code;
  const probe =
    nextProbeAt === null
      ? ""
      : `; whether it is back is tried from ${nextProbeAt.toISOString()} on`;
  return {
    ...told,
    code: "gate_closed",
    message: `${remote} is not called${since} (${why})${probe}${until}`,
  };
}

function ofEngine(
  { run, aheadOfIt }: JobRequestView,
  peek: EnginePeek,
  pause: QueuePause | undefined,
): Wait {
  if (run.state === "waiting" && run.handedAt === null)
    return peek.kind === "unreachable"
      ? {
          code: "engine_unreachable",
          message: "is recorded; the queue engine does not answer, and gets it as soon as it does",
        }
      : run.priority >= BULK_PRIORITY
        ? {
            code: "bulk",
            message: `is bulk work, done after what people ask for one by one; ${ahead(aheadOfIt)}`,
          }
        : {
            code: "not_handed_over",
            message: `is handed to the queue in a moment; ${ahead(aheadOfIt)}`,
          };
  if (peek.kind === "unreachable")
    return {
      code: "engine_unreachable",
      message: "was handed to the queue engine, which does not answer right now",
    };
  if (peek.job === undefined)
    return {
      code: "engine_lost_it",
      message:
        "the queue engine does not know it (any more); it is handed over again within a minute or two",
    };
  if (peek.job === "completed" || peek.job === "failed")
    return { code: "settling", message: "its attempt has ended and is being recorded" };
  if (peek.queue.paused) return paused(run.queue, pause);
  if (run.waitCode === "quarantined")
    return {
      code: "quarantined",
      message:
        "a process ended while it ran; it runs alone, as soon as a worker has finished the rest",
    };
  if (peek.job === "active")
    return { code: "starting", message: "a worker has taken it and begins" };
  if (run.waitCode === "handed_back")
    return {
      code: "handed_back",
      message: "its worker shut down and gave it back; waits for another",
    };
  const { waiting, active } = peek.queue;
  return {
    code: "queued",
    message: `waits for a free worker: ${active} running, ${Math.max(0, waiting - 1)} others queued in "${run.queue}"`,
  };
}

const ahead = (count: number): string => (count === 0 ? "none is ahead" : `${count} are ahead`);
