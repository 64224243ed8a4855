import { type Database, measureOutbox } from "@ballast/database";
import type { Engine, EngineMemory, Log } from "@ballast/jobs";
import type { Metrics } from "@ballast/service";
import { Problem } from "./http/problem.ts";

export interface AdmissionLimits {
  /** Runs that may be due and not yet handed to the engine; as many may stand in paused queues. */
  readonly outboxRuns: number;
  /** Share of the engine's memory that may be used, in (0, 1]. */
  readonly engineMemoryShare: number;
}

export interface Admission extends Disposable {
  /** Refuse a request for work while there is too much already. @throws {Problem} `overloaded` */
  admit(): void;
  /** Whether the engine's memory is beyond its share: nothing more is handed over until it is not. */
  readonly engineIsFull: boolean;
}

const EVERY_MS = 1_000;
/** Open again only well below the limit, or callers would be let in and sent away by turns. */
const REOPEN_BELOW = 0.9;
const RETRY_AFTER_SECONDS = "5";

interface AdmissionDeps {
  readonly database: Pick<Database, "kysely">;
  readonly engine: Pick<Engine, "memory">;
  readonly limits: AdmissionLimits;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "outboxPending" | "outboxOldestAge">;
}

/**
 * Measure once a second how full the outbox and the engine are, and refuse new work before either is.
 * What cannot be measured is decided as it was, an engine that is away being no reason to refuse, and told to nobody.
 */
export function startAdmission(deps: AdmissionDeps): Admission {
  const { database, engine, limits, log, metrics } = deps;
  const outbox = threshold(limits.outboxRuns);
  const paused = threshold(limits.outboxRuns);
  const memory = threshold(limits.engineMemoryShare);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const measure = async () => {
    const [measured, used] = await Promise.allSettled([
      measureOutbox(database.kysely, limits.outboxRuns + 1),
      engine.memory(),
    ]);
    if (closed) return;
    if (measured.status === "fulfilled") {
      metrics.outboxPending.set(measured.value.pending);
      metrics.outboxOldestAge.set(measured.value.oldestAgeSeconds);
      if (paused.see(measured.value.paused))
        log.warn(
          { ...measured.value },
          `paused queues hold ${paused.passed ? "too much" : "less again"}`,
        );
      if (outbox.see(measured.value.pending))
        log.warn({ ...measured.value }, `outbox is ${outbox.passed ? "too full" : "well again"}`);
    } else {
      metrics.outboxPending.remove();
      metrics.outboxOldestAge.remove();
    }
    if (used.status === "fulfilled" && used.value !== null)
      if (memory.see(shareOf(used.value)))
        log.warn(
          { ...used.value },
          `engine memory is ${memory.passed ? "too full" : "well again"}`,
        );
    timer = setTimeout(measure, EVERY_MS).unref();
  };
  void measure();

  return {
    admit() {
      if (outbox.passed)
        throw overloaded(`more than ${limits.outboxRuns} runs wait to be handed to the queue`);
      if (paused.passed)
        throw overloaded(
          `more than ${limits.outboxRuns} runs wait in paused queues: resume one (GET /v1/queues)`,
        );
      if (memory.passed)
        throw overloaded(
          `the queue engine uses more than ${Math.round(limits.engineMemoryShare * 100)} % of its memory`,
        );
    },
    get engineIsFull() {
      return memory.passed;
    },
    [Symbol.dispose]() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

const shareOf = ({ usedBytes, maxBytes }: EngineMemory): number => usedBytes / maxBytes;

const overloaded = (why: string) =>
  new Problem("overloaded", `no new work is taken right now: ${why}`, {
    headers: { "Retry-After": RETRY_AFTER_SECONDS },
  });

/** Passed above `limit`, and until the value is a tenth below it. */
export function threshold(limit: number) {
  let passed = false;
  return {
    get passed() {
      return passed;
    },
    /** @returns whether that changed it */
    see(value: number): boolean {
      const before = passed;
      passed = value > (passed ? limit * REOPEN_BELOW : limit);
      return passed !== before;
    },
  };
}
