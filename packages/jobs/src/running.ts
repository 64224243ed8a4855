import type { WorkingAttempt } from "./crash.ts";
import type { StopSwitch } from "./lease.ts";
import type { AbortCause } from "./outcome.ts";
import type { RunStore } from "./store.ts";
import type { Log } from "./telemetry.ts";

interface RunningAttempt {
  readonly runId: string;
  /** Absent while it waits to run alone. */
  readonly startedAt?: Date;
  /** As the engine knows it. */
  readonly engineJobId: string;
  readonly stop: StopSwitch;
}

/** A cancelled run stops within this time, wherever it runs. */
const CANCEL_POLL_MS = 400;
/** Share of the lock that may pass without a renewal; the rest is for letting go. */
const LOCK_SHARE = 0.8;
/** Well under the silence after which the reconciler looks for a run. */
const TOUCH_MS = 15_000;

/** The engine's word that a job is this process's. */
interface Lock {
  heldSince: number;
  isLost: boolean;
}

/** The attempts this process is running: told to stop when cancelled, marked as alive while not. */
export class Running implements Disposable {
  readonly #attempts = new Map<string, RunningAttempt & { readonly lock: Lock }>();
  /** By the engine's job id, from the moment a job was given: its lock may be lost before its attempt begins. */
  readonly #locks = new Map<string, Lock>();
  readonly #lockDurationMs: number;
  readonly #store: Pick<RunStore<unknown>, "cancelled" | "touch">;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #asking = false;
  #disposed = false;
  #touchedAt = Date.now();
  #stopped: { cause: AbortCause; hard: boolean } | undefined;

  constructor(
    store: Pick<RunStore<unknown>, "cancelled" | "touch">,
    lockDurationMs: number,
    log: Log,
  ) {
    this.#store = store;
    this.#lockDurationMs = lockDurationMs;
    this.#log = log;
  }

  get size(): number {
    return this.#attempts.size;
  }

  /** Keep an eye on the lock of a job that was just given, until the returned handle is disposed. */
  hold(engineJobId: string): Disposable {
    const lock = { heldSince: Date.now(), isLost: false };
    this.#locks.set(engineJobId, lock);
    return {
      [Symbol.dispose]: () => {
        // One that ran out may have been given again, to this very process.
        if (this.#locks.get(engineJobId) === lock) this.#locks.delete(engineJobId);
      },
    };
  }

  /** Watch an attempt until the returned handle is disposed. */
  watch(attemptId: string, attempt: RunningAttempt): Disposable {
    const lock = this.#locks.get(attempt.engineJobId) ?? { heldSince: Date.now(), isLost: false };
    this.#attempts.set(attemptId, { ...attempt, lock });
    attempt.stop.guard(() => this.#isHeld(lock));
    if (!this.#isHeld(lock)) attempt.stop.stop("lease_lost");
    // One that was being started when all were told to stop.
    if (this.#stopped !== undefined) attempt.stop.stop(this.#stopped.cause, this.#stopped);
    this.#poll();
    return { [Symbol.dispose]: () => void this.#attempts.delete(attemptId) };
  }

  lockLost(engineJobId: string): void {
    const lock = this.#locks.get(engineJobId);
    if (lock !== undefined) lock.isLost = true;
    for (const attempt of this.#attempts.values())
      if (attempt.engineJobId === engineJobId) attempt.stop.stop("lease_lost");
  }

  locksRenewed(engineJobIds: readonly string[]): void {
    const renewed = new Set(engineJobIds);
    const now = Date.now();
    for (const [engineJobId, lock] of this.#locks)
      if (renewed.has(engineJobId)) lock.heldSince = now;
    for (const { engineJobId, lock } of this.#attempts.values())
      if (renewed.has(engineJobId)) lock.heldSince = now;
  }

  /** Those whose handler is running. */
  working(): WorkingAttempt[] {
    return [...this.#attempts].flatMap(([attemptId, { runId, startedAt }]) =>
      startedAt === undefined ? [] : [{ attemptId, runId, startedAt }],
    );
  }

  /** Tell some of them to stop, whatever step they are in. */
  stop(attempts: readonly Pick<WorkingAttempt, "attemptId">[], cause: AbortCause): void {
    for (const { attemptId } of attempts)
      this.#attempts.get(attemptId)?.stop.stop(cause, { hard: true });
  }

  /** Tell those to stop that are yet to come, e.g. whose start is being written at this moment. */
  admitNoMore(): void {
    this.#stopped ??= { cause: "shutdown", hard: false };
  }

  /** Tell all attempts to stop, those that are yet to come too. */
  stopAll(cause: AbortCause, { hard = false }: { hard?: boolean } = {}): void {
    this.#stopped = { cause, hard };
    for (const { stop } of this.#attempts.values()) stop.stop(cause, { hard });
  }

  [Symbol.dispose](): void {
    this.stopAll("shutdown", { hard: true });
    clearTimeout(this.#timer);
    this.#disposed = true;
  }

  /** While the engine is away nobody says that a lock ran out: the clock does. */
  #stopUnheld(): void {
    for (const { lock, stop } of this.#attempts.values())
      if (!this.#isHeld(lock)) stop.stop("lease_lost");
  }

  #isHeld({ heldSince, isLost }: Lock): boolean {
    if (isLost) return false;
    return Date.now() - heldSince <= this.#lockDurationMs * LOCK_SHARE;
  }

  /** Look again and again, and be quiet while nothing runs. */
  #poll(): void {
    if (this.#disposed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#attempts.size === 0) return;
      this.#stopUnheld();
      void this.#askPostgres();
      this.#poll();
    }, CANCEL_POLL_MS);
  }

  /** One question at a time: a PostgreSQL that hangs must not hold up the clock. */
  async #askPostgres(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const byRun = new Map([...this.#attempts.values()].map((attempt) => [attempt.runId, attempt]));
    const ids = [...byRun.keys()];
    try {
      for (const id of await this.#store.cancelled(ids)) byRun.get(id)?.stop.stop("cancelled");
      if (Date.now() - this.#touchedAt >= TOUCH_MS) {
        this.#touchedAt = Date.now();
        await this.#store.touch(ids);
      }
    } catch (error) {
      this.#log.debug({ err: error }, "could not ask for cancelled runs");
    }
    this.#asking = false;
  }
}
