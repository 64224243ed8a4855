import type { QueueDefinition } from "@ballast/contracts";
import type { Engine } from "./engine/engine.ts";
import type { RuntimeTelemetry } from "./telemetry.ts";

export interface CanaryOptions {
  readonly queue: QueueDefinition;
  readonly engine: Pick<Engine, "sendCanary" | "state">;
  readonly telemetry: Pick<RuntimeTelemetry, "jobs" | "liveness">;
  /** Host, process and version: the canary's own id comes from it. */
  readonly worker: string;
  /** Whether this process would take a job if it were given one. */
  readonly hasRoom: () => boolean;
  /** Time without a delivery after which a canary is sent. */
  readonly quietMs?: number;
  /** Time without an answer to canaries after which the process is to be restarted. */
  readonly boundMs?: number;
}

export interface Canary extends Disposable {
  /** The queue served this process: with work, or with a canary, whoever sent it. */
  served(): void;
}

const QUIET_MS = 20_000;
const BOUND_MS = 60_000;

/**
 * Prove that this process still is served. A worker may be connected, be running by its own account, and
 * yet never be given a job again; only a job that comes through shows that it is not so.
 *
 * Time in which nothing could come is not counted: the engine away, the queue paused, no room for more.
 */
export function startCanary(options: CanaryOptions): Canary {
  const { queue, engine, telemetry, worker, hasRoom } = options;
  const { quietMs = QUIET_MS, boundMs = BOUND_MS } = options;
  let servedAt = Date.now();
  let unservedSince: number | undefined;
  let asking = false;

  const ask = async () => {
    if (Date.now() - servedAt < quietMs || !hasRoom()) {
      unservedSince = undefined;
      return;
    }
    try {
      if ((await engine.state(queue.name)).paused) unservedSince = undefined;
      else {
        await engine.sendCanary(queue.name, worker);
        unservedSince ??= Date.now();
      }
    } catch {
      unservedSince = undefined; // away: its absence is told by the readiness check
    }
  };
  const timer = setInterval(() => {
    telemetry.jobs.canaryAge(queue.name, (Date.now() - servedAt) / 1_000);
    if (asking) return;
    asking = true;
    void ask().finally(() => {
      asking = false;
    });
  }, quietMs / 4).unref();

  telemetry.liveness(`queue ${queue.name}`, () => {
    if (unservedSince === undefined || Date.now() - unservedSince <= boundMs) return undefined;
    const seconds = Math.round((Date.now() - servedAt) / 1_000);
    return `given no job for ${seconds} s, although it asked for one and the engine took it`;
  });
  return {
    served() {
      servedAt = Date.now();
      unservedSince = undefined;
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      unservedSince = undefined;
    },
  };
}
