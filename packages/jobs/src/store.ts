/**
 * What the runtime needs of PostgreSQL: the port that `@ballast/database` fills. `Tx` is whatever
 * the filler calls a transaction; the runtime only passes it through.
 */

export type TerminalState = "completed" | "dead" | "cancelled";

/** One piece of work to be done, as it is asked for. */
export interface NewRun {
  readonly queue: string;
  readonly job: string;
  readonly version: number;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly companyId: string | null;
  readonly subject: string | null;
  readonly slot: string | null;
  readonly priority: number;
  /** Not handed to the engine before this moment. */
  readonly dueAt: Date | null;
  readonly deadlineAt: Date;
  /** Not handed over before `release` is called with this key, e.g. `document:<id>:r1:de-DE`. */
  readonly heldFor: string | null;
}

export interface NewRequest {
  /** Made up by the store if absent. */
  readonly id?: string;
  readonly requestedBy: string | null;
  readonly traceparent: string | null;
}

export interface NewWish {
  readonly run: NewRun;
  readonly request: NewRequest;
}

export interface Asked {
  readonly requestId: string;
  readonly runId: string;
  /** True if a run of the same slot that was there took the wish in: a waiting one, or for a replay a started one. */
  readonly joined: boolean;
}

export interface Committed {
  /** What became of each wish, in their order. */
  readonly asked: Asked[];
  /** New runs noted as handed over: whoever recorded them does that now, or takes it back. Wakes no other dispatcher. */
  readonly taken: ClaimedRun[];
}

/** Where the wish to do again what died comes from. */
export interface Lineage {
  /** The run that died. */
  readonly replayOf: string;
  /** One more than the dead run's. */
  readonly generation: number;
  /** Somebody changed the payload: a new change, which no run that is there already may swallow. */
  readonly isChanged: boolean;
}

/** A waiting run that this dispatcher may hand to the engine until its claim ends. */
export interface ClaimedRun extends NewRun {
  readonly id: string;
  readonly engineJobId: string;
  readonly requestId: string;
  readonly traceparent: string | null;
  readonly requestedBy: string | null;
  readonly createdAt: Date;
  /** The engine has it already, less urgent than it has become. */
  readonly inEngine: boolean;
}

/** A run as the engine has it. */
export type Handed = Pick<ClaimedRun, "id" | "priority">;

/** A job at its start, as a worker reports it. */
export interface Start {
  /** Made by the worker: a fresh UUID for each start. */
  readonly attemptId: string;
  readonly queue: string;
  readonly engineJobId: string;
  /** Host and process of the worker, for people. */
  readonly worker: string;
  /** The engine took the job back from a worker that stopped renewing its claim, now or at any time before. */
  readonly stalled?: boolean;
  /** How often it did: one more than at the start before tells that this happened since. */
  readonly stalls?: number;
  /** Nothing else runs in this worker's process. */
  readonly alone?: boolean;
  /** As far as the engine knows nobody was ever given this job before. */
  readonly first?: boolean;
}

/** The run a worker may now work on. */
export interface Run {
  readonly id: string;
  readonly job: string;
  readonly version: number;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly companyId: string | null;
  readonly subject: string | null;
  readonly slot: string | null;
  readonly deadlineAt: Date;
  readonly createdAt: Date;
  /** Attempts that were counted, also by an engine that was wiped since. */
  readonly attemptsMade: number;
  /** The oldest live request, for logs and for chained wishes. */
  readonly requestId: string | null;
  readonly traceparent: string | null;
}

export type Started =
  | { readonly kind: "go"; readonly run: Run }
  /** Over already: settle the engine's copy with what is stored. */
  | {
      readonly kind: "over";
      readonly state: TerminalState;
      readonly result: unknown;
      readonly error: string | null;
    }
  /** A process ended, or may have ended, while it ran: to be started again `alone`. */
  | { readonly kind: "suspect"; readonly runId: string }
  /** Another run of the slot is started: come back later. */
  | { readonly kind: "slot_busy" }
  /** The engine has forgotten that it gave this run to a worker, which may be at it or about to report: come back. */
  | { readonly kind: "running" }
  /** No such run: another team's job, to be adopted. */
  | { readonly kind: "unknown" };

/** A job another team put into the engine, at its first attempt. */
export interface Adoption extends Start, Omit<NewRun, "dueAt" | "heldFor" | "priority"> {
  readonly requestId: string | null;
  readonly requestedBy: string | null;
  readonly traceparent: string | null;
  readonly createdAt: Date;
}

export type OutcomeKind = "completed" | "retry" | "postpone" | "interrupted" | "cancelled" | "dead";

/** How one attempt ended. */
export interface AttemptEnd {
  readonly attemptId: string;
  readonly runId: string;
  readonly outcome: OutcomeKind;
  readonly startedAt: Date;
  readonly endedAt: Date;
  readonly worker: string;
  /** `null` unless the outcome is `completed`. */
  readonly result: unknown;
  readonly code: string | null;
  readonly message: string | null;
  readonly stack: string | null;
  /** When the next attempt is due; `null` if none is or it is due at once. */
  readonly nextAttemptAt: Date | null;
}

/** One attempt in whose process an error was caught by nobody. */
export interface Crash {
  readonly attemptId: string;
  readonly runId: string;
  readonly startedAt: Date;
  readonly crashedAt: Date;
  readonly worker: string;
  readonly message: string;
  readonly stack: string | null;
}

export interface Progress {
  readonly runId: string;
  readonly progress: unknown;
}

/** A run that was handed over and has not been heard of for a while. */
export interface SilentRun extends ClaimedRun {
  readonly touchedAt: Date;
  /** Milliseconds since then, by the clock of PostgreSQL. */
  readonly silentMs: number;
  /** A worker has started it and not said how it ended. */
  readonly running: boolean;
}

/** The end of a run as the engine kept it, where the worker could not tell us. */
export interface CopiedEnd {
  readonly runId: string;
  readonly state: TerminalState;
  readonly result: unknown;
  /** What a death was for, if the engine kept that. */
  readonly code: string | null;
  readonly message: string | null;
  readonly endedAt: Date;
}

/** What an operator wants of a queue. */
export interface QueueOrder {
  readonly queue: string;
  readonly paused: boolean;
}

/** What the journal knows of a job that stands in the engine's failed set. */
export interface FailedVerdict {
  readonly engineJobId: string;
  /**
   * `parked`: it has an open letter. `unended`: its run is not over here. `settled`: its run is over and
   * nobody is to decide about it any more. `unknown`: no run was ever written down.
   */
  readonly verdict: "parked" | "unended" | "settled" | "unknown";
  /** `null` unless its run is among the live ones. */
  readonly runId: string | null;
  /** When it was asked for or, by another team, added; absent if no run was ever written down. */
  readonly createdAt?: Date | null;
}

export interface RunStore<Tx> {
  /**
   * Record a wish inside the caller's transaction: a new run, or a place in the slot's waiting one. A
   * replay whose payload is unchanged joins a started one too, and never changes what a wish asked for.
   */
  ask(tx: Tx, run: NewRun, request: NewRequest, lineage?: Lineage): Promise<Asked>;
  /**
   * Record many wishes, none of them held, as if each was asked for after the one before it, in a transaction of their
   * own: one statement where no two share a slot.
   *
   * @param takes note what could be handed over at once as handed over
   */
  commitAll(wishes: readonly NewWish[], takes: boolean): Promise<Committed>;
  /** Let the runs held for `key` go, inside the caller's transaction; wakes dispatchers at commit. */
  release(tx: Tx, key: string): Promise<number>;

  /**
   * Claim runs that may be handed over: waiting, due, not held, without a started sibling in their
   * slot, most urgent first. A claim not followed by `handedOver` within `leaseMs` lapses.
   */
  claim(
    limit: number,
    leaseMs: number,
    owed: Readonly<Record<string, number>>,
  ): Promise<ClaimedRun[]>;
  /** The engine has them, each with the priority given here. */
  handedOver(runs: readonly Handed[]): Promise<void>;
  unclaim(runIds: readonly string[]): Promise<void>;
  /** The engine did not take these, which were noted as handed over when they were recorded. */
  takeBack(runIds: readonly string[]): Promise<void>;
  /** Milliseconds until the next waiting run falls due; `null` if none has a time. */
  nextDueInMs(): Promise<number | null>;

  /** Start many at once; answers are in the order of `starts`. */
  start(starts: readonly Start[]): Promise<Started[]>;
  adopt(adoption: Adoption): Promise<Started>;
  /** Record ended attempts and, for terminal outcomes, the end of their runs. Wakes dispatchers if a slot came free. */
  ended(attempts: readonly AttemptEnd[]): Promise<void>;
  /**
   * Note that these attempts end with their process. Each run is `suspect` from now on; one that was
   * running alone, and for the third time, is dead with code `crashed_process`.
   */
  crashed(crashes: readonly Crash[]): Promise<void>;
  progressed(updates: readonly Progress[]): Promise<void>;
  /** Those among these runs that were cancelled. Asked twice a second: it only reads. */
  cancelled(runIds: readonly string[]): Promise<string[]>;
  /** Mark these runs as alive. */
  touch(runIds: readonly string[]): Promise<void>;

  /** Runs handed over and untouched for `silentMs`, oldest first. */
  silent(silentMs: number, limit: number): Promise<SilentRun[]>;
  /** Take silent runs for re-adding; the ids of those that nobody touched since their `touchedAt`. */
  reclaim(runs: readonly Pick<SilentRun, "id" | "touchedAt">[]): Promise<string[]>;
  /** Record the end of a run that is not terminal yet. */
  copyEnd(end: CopiedEnd): Promise<void>;
  /** Judge jobs of the engine's failed set, by their journalled ids; in any order. */
  judgeFailed(queue: string, engineJobIds: readonly string[]): Promise<FailedVerdict[]>;
  /** End waiting runs whose deadline passed as `dead` with code `deadline_exceeded`; returns how many. */
  expire(limit: number): Promise<number>;

  /** Pauses and resumptions that the engine is to be told of. */
  queueOrders(): Promise<QueueOrder[]>;
  /** The engine has obeyed; if the order has changed meanwhile, it is to be told again. */
  orderTold(order: QueueOrder): Promise<void>;

  /** The value last stored under `name`, e.g. the engine's epoch. */
  readMark(name: string): Promise<string | null>;
  writeMark(name: string, value: string): Promise<void>;

  /** Call `wake` whenever the channel `dispatch` is notified; dispose to stop. */
  onDispatch(wake: () => void): Promise<AsyncDisposable>;
}
