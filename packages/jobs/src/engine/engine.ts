import type { QueueDefinition } from "@ballast/contracts";
import type { Queue } from "bullmq";
import type { Outcome } from "../outcome.ts";
import type { Log } from "../telemetry.ts";

/** One job as it is handed to the engine. Adding an id that is there already changes nothing. */
export interface EngineJob {
  readonly id: string;
  readonly name: string;
  readonly data: object;
  readonly priority: number;
}

/** One start of one job, as the engine gives it to a worker. */
export interface Delivery {
  readonly engineJobId: string;
  readonly name: string;
  readonly data: unknown;
  /** Attempts that were counted before this one. */
  readonly attemptsMade: number;
  /** How often the engine took it back from a worker that stopped renewing its claim. */
  readonly stallCount: number;
  /** As far as the engine knows nobody was given it before. */
  readonly isFirst: boolean;
  /** This runtime added it. */
  readonly isOurs: boolean;
  readonly createdAt: Date;
  /** When it could have started at the earliest. */
  readonly readyAt: Date;
}

export interface EngineJobState {
  readonly state: "waiting" | "active" | "delayed" | "completed" | "failed" | "unknown";
  readonly result: unknown;
  readonly failedReason: string | null;
  readonly finishedAt: Date | null;
}

/** A job of the failed set. */
export interface FailedJob {
  /** By which the journal knows it; by `id` if that is its request's, which stands in its data. */
  readonly engineJobId: string;
  /** The engine's own. */
  readonly id: string;
  readonly createdAt: Date;
  readonly finishedAt: Date;
}

/** A job that has not begun, as whoever added it wrote it. */
export interface PendingJob {
  readonly engineJobId: string;
  readonly name: string;
  readonly data: unknown;
}

/** All that the engine kept of a death. */
export interface EngineDeath {
  readonly delivery: Delivery;
  readonly reason: string | null;
  readonly finishedAt: Date;
}

export interface QueueState {
  readonly paused: boolean;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/** What a queue holds and since when, by the engine's own books. */
export interface QueueCensus {
  readonly paused: boolean;
  /** By BullMQ's names of states. */
  readonly counts: Readonly<Record<string, number>>;
  /** Since when the job that begins next could have begun; `null` if none waits. */
  readonly headSince: Date | null;
  /** When the delayed job that comes next is due: one in the past is overdue. `null` if none is delayed. */
  readonly nextDueAt: Date | null;
}

/** An attempt that has ended, and whom to tell once the engine knows. */
export interface Attempted {
  readonly outcome: Outcome;
  /**
   * The engine has taken the outcome. Not `confirmed`: it may never take it, so its next start must find
   * it in the journal. Called once at most.
   */
  told(confirmed: boolean): void;
}

export interface Consumption {
  readonly queue: QueueDefinition;
  readonly concurrency: number;
  /** Name of this worker, for people. */
  readonly worker: string;
  readonly log: Log;
  /** Run one attempt; must not throw. */
  attempt(delivery: Delivery): Promise<Attempted>;
  lockLost(engineJobId: string): void;
  locksRenewed(engineJobIds: readonly string[]): void;
  /** The engine ended a job by itself, without an attempt: it stalled too often. */
  diedUnseen(delivery: Delivery, reason: string): void;
  stalled(engineJobId: string): void;
  /** A canary came through. */
  canary(): void;
  /** A job could not be parsed, and there may be one that never will. */
  jammed(): void;
}

/** A job that was taken and can never begin, and that the engine never ends either. */
export interface JammedJob {
  readonly engineJobId: string;
  readonly name: string;
  readonly createdMs: number;
  /** This runtime added it, as far as can be seen. */
  readonly isOurs: boolean;
  readonly why: string;
  /** What it held, cut short. */
  readonly raw: Readonly<Record<string, string | null>>;
}

export interface Consumer {
  /** Take no more than this many attempts at a time from now on. */
  limit(concurrency: number): void;
  /** Take nothing new; resolves once the running attempts have ended. */
  close(): Promise<void>;
}

/** How full the engine's store is. */
export interface EngineMemory {
  readonly usedBytes: number;
  /** At which it refuses to take more. */
  readonly maxBytes: number;
}

/** What the runtime asks of BullMQ, whichever store is behind it. */
export interface Engine extends AsyncDisposable {
  readonly kind: "redis" | "postgres";
  /** Resolves when the engine answers; rejects after `deadlineMs` saying why. */
  ping(deadlineMs?: number): Promise<void>;
  add(queue: string, jobs: readonly EngineJob[]): Promise<void>;
  /** Let a job that waits overtake others; one that runs, or is gone, is left alone. */
  prioritize(queue: string, engineJobId: string, priority: number): Promise<void>;
  /** @param engineJobId as the journal knows it */
  find(queue: string, engineJobId: string): Promise<EngineJobState | undefined>;
  /** Remove a job that is not running; one that is, or is gone, is left alone. */
  remove(queue: string, engineJobId: string): Promise<void>;
  state(queue: string): Promise<QueueState>;
  /** On Redis its cost is the same, however many jobs there are. */
  census(queue: string): Promise<QueueCensus>;
  /** Let no job of the queue begin, or let them begin again. Repeatable. */
  setPaused(queue: string, paused: boolean): Promise<void>;
  /** `null` where it has no limit of its own. */
  memory(): Promise<EngineMemory | null>;
  /**
   * A page of the failed set, what failed first comes first; without a `cursor` in the answer, it was
   * the last. Reads no data of jobs.
   */
  failed(
    queue: string,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<{ readonly jobs: readonly FailedJob[]; readonly cursor?: string }>;
  /** A page of the jobs that wait, paused and put off ones too; without a `cursor` in the answer, it was the last. */
  pending(
    queue: string,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<{ readonly jobs: readonly PendingJob[]; readonly cursor?: string }>;
  /** @returns `undefined` if the job is not failed, or gone */
  findFailed(queue: string, job: FailedJob): Promise<EngineDeath | undefined>;
  /**
   * Remove jobs that are failed. One that is not, or on whose failure a parent waits, stays.
   *
   * @returns those that are gone, whoever removed them
   * @throws if the engine is away
   */
  removeFailed(queue: string, engineJobIds: readonly string[]): Promise<string[]>;
  /** The same for jobs that `failed` listed, which are known by what the engine itself calls them. */
  removeListed(queue: string, jobs: readonly FailedJob[]): Promise<number>;
  /** BullMQ's own object, for who shows what it holds. It answers now; whoever changes a job by it tells nobody. */
  rawQueue(queue: string): Promise<Queue>;
  consume(consumption: Consumption): Promise<Consumer>;
  /** @throws {UnfitEngineError} if its store would drop jobs by itself */
  assertFit(): Promise<void>;
  /** Jobs of a queue that can never begin. */
  jammed(queue: string): Promise<readonly JammedJob[]>;
  removeJammed(queue: string, engineJobId: string): Promise<void>;
  /** Put a canary into a queue: whoever takes it is served. One at a time for each `sender`. */
  sendCanary(queue: string, sender: string): Promise<void>;
  /** A mark that vanishes when the engine's store is wiped. */
  readEpoch(): Promise<string | null>;
  writeEpoch(epoch: string): Promise<void>;
}

export interface EngineOptions {
  readonly log: Log;
  /** BullMQ's key prefix on Redis; other teams use its default, `bull`, unless told. */
  readonly prefix?: string;
  /**
   * A connection that owes an answer for this long is broken off and made anew. Default: on Redis 3,000 for callers and
   * 15,000 for workers, which wait for a job for 10,000 at most; on PostgreSQL 35,000.
   */
  readonly silenceMs?: number;
}
