import { setTimeout as pause } from "node:timers/promises";
import type { Engine } from "./engine/engine.ts";
import type { RuntimeTelemetry } from "./telemetry.ts";

const RETRY_MS = 1_000;

/**
 * Wait until the engine answers, and look whether it keeps what it is given.
 *
 * @returns false if the process was told to stop first
 * @throws {UnfitEngineError} for an engine that would lose jobs
 */
export async function untilFit(
  engine: Pick<Engine, "ping" | "assertFit">,
  { stopping, log }: Pick<RuntimeTelemetry, "stopping" | "log">,
): Promise<boolean> {
  for (let failures = 0; !stopping.aborted; failures++) {
    try {
      await engine.ping();
      await engine.assertFit();
      return true;
    } catch (error) {
      if (error instanceof UnfitEngineError) throw error;
      if (failures === 0)
        log.warn({ err: error }, "the queue engine does not answer; waiting for it");
      await pause(RETRY_MS, undefined, { signal: stopping }).catch(() => {});
    }
  }
  return false;
}

/** What is known of an engine that jobs are to be put into. */
export interface Fitness {
  /** It answered, and keeps what it is given. Until then nothing may be put into it. */
  readonly isFit: boolean;
  /** Rejects with an {@link UnfitEngineError}, or never settles. */
  readonly refused: Promise<never>;
}

/** Look whether the engine is fit, for as long as that takes, while the caller goes on. */
export function watchFitness(
  engine: Pick<Engine, "ping" | "assertFit">,
  telemetry: Pick<RuntimeTelemetry, "stopping" | "log">,
): Fitness {
  let isFit = false;
  const refused = untilFit(engine, telemetry).then((found) => {
    isFit = found;
    return new Promise<never>(() => {});
  });
  refused.catch(() => {}); // whoever waits for it hears it
  return {
    get isFit() {
      return isFit;
    },
    refused,
  };
}

/** The engine is set up so that it would lose jobs, or does not let us in: waiting mends neither. */
export class UnfitEngineError extends Error {
  override readonly name = "UnfitEngineError";
  /** By this the process knows to end like one whose settings are bad. */
  readonly badConfig = true;
}
