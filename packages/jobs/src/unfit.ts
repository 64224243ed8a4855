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

/** Rejects if the engine turns out to be one that would lose jobs; otherwise never settles. */
export const refuseUnfit = async (
  engine: Engine,
  telemetry: Pick<RuntimeTelemetry, "stopping" | "log">,
): Promise<never> => {
  await untilFit(engine, telemetry);
  return await new Promise<never>(() => {});
};

/** The engine is set up so that it would lose jobs. */
export class UnfitEngineError extends Error {
  override readonly name = "UnfitEngineError";
  /** By this the process knows to end like one whose settings are bad. */
  readonly badConfig = true;
}
