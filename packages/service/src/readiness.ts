import { setTimeout as after } from "node:timers/promises";
import { scrubText } from "./scrub.ts";

/** Rejects with the reason when the thing it asks does not answer. */
export type ReadinessCheck = () => Promise<void>;

export interface ReadinessReport {
  readonly ready: boolean;
  /** Name of each failing check, and why it fails. */
  readonly failing: Readonly<Record<string, string>>;
}

export interface Readiness {
  /** Add a check; the same name again replaces it. */
  add(name: string, check: ReadinessCheck): void;
  /** Run all checks at once; callers that come meanwhile share the run. Never rejects. */
  report(): Promise<ReadinessReport>;
}

const CHECK_DEADLINE_MS = 1_000;

/**
 * Hold what must answer before work is taken. Not ready before the first check exists, nor once stopping.
 *
 * @param heard what each check came to, each time they run
 */
export function openReadiness(
  stopping: AbortSignal,
  heard: (check: string, isReady: boolean) => void,
): Readiness {
  const checks = new Map<string, ReadinessCheck>();
  let running: Promise<ReadinessReport> | undefined;

  async function run(): Promise<ReadinessReport> {
    const failing: Record<string, string> = {};
    const asked = [...checks].map(async ([name, check]) => {
      const reason = await ask(check);
      if (reason !== undefined) failing[name] = reason;
      heard(name, reason === undefined);
    });
    await Promise.all(asked);
    return { ready: Object.keys(failing).length === 0, failing };
  }

  return {
    add(name, check) {
      checks.set(name, check);
    },
    async report() {
      if (stopping.aborted) return { ready: false, failing: { process: "it is stopping" } };
      if (checks.size === 0) return { ready: false, failing: { process: "it is starting" } };
      running ??= run().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

/** Why the check fails, if it does. */
async function ask(check: ReadinessCheck): Promise<string | undefined> {
  const answered = new AbortController();
  const late = after(CHECK_DEADLINE_MS, `no answer within ${CHECK_DEADLINE_MS} ms`, {
    signal: answered.signal,
    ref: false,
  }).catch(() => undefined);
  try {
    return await Promise.race([check().then(() => undefined), late]);
  } catch (error) {
    return scrubText(error instanceof Error ? error.message || error.name : String(error));
  } finally {
    answered.abort();
  }
}
