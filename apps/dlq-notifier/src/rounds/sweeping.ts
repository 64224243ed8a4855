import { type FailedSweepOptions, type Rounds, startRounds, sweepFailed } from "@ballast/jobs";

/** A round after an outage of the engine comes within two seconds of its return. */
const EVERY_MS = 15_000;

/** Look through every queue's failed set for deaths that nobody parked. */
export const startSweeping = (
  options: FailedSweepOptions & { readonly everyMs?: number },
): Rounds => {
  const { log } = options.telemetry;
  return startRounds({
    what: "sweep the failed sets",
    everyMs: options.everyMs ?? EVERY_MS,
    log,
    async round() {
      const swept = await sweepFailed(options);
      if (swept.copied + swept.adopted + swept.removed > 0)
        log.warn({ ...swept }, "deaths found that nobody had parked");
    },
  });
};
