import type { Logger } from "./logger.ts";
import type { FatalHook } from "./telemetry.ts";

/** What an exit code of a service means. */
export const EXIT = {
  failed: 1,
  /** An error nobody caught; EX_SOFTWARE of sysexits.h. */
  uncaught: 70,
  /** EX_CONFIG of sysexits.h. */
  badConfig: 78,
  SIGINT: 128 + 2,
  SIGTERM: 128 + 15,
} as const;

type StopSignal = "SIGINT" | "SIGTERM";

/**
 * One press of Ctrl-C reaches a process from the terminal and again from each launcher that forwards it;
 * what comes this soon after the first signal is the same wish.
 */
const SAME_WISH_MS = 300;
const FATAL_HOOKS_MS = 2_000;
const LINGER_MS = 5_000;

/** Abort `stop` on the first SIGTERM or SIGINT; exit at once on the second. */
export function obeySignals(log: Logger, stop: AbortController): void {
  let firstMs: number | undefined;

  const onSignal = (signal: StopSignal) => {
    if (firstMs === undefined) {
      firstMs = performance.now();
      log.info({ signal }, "told to stop");
      stop.abort(new Error(`told to stop by ${signal}`));
    } else if (performance.now() - firstMs > SAME_WISH_MS) {
      log.warn({ signal }, "told to stop again, exiting at once");
      process.exit(EXIT[signal]);
    }
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}

/** Log an error that nobody caught, run the hooks and then `lastly` for at most 2 s, and exit 70. */
export function exitWhenUncaught(
  log: Logger,
  hooks: readonly FatalHook[],
  lastly: () => Promise<void>,
): void {
  let dying = false;

  const die = (error: unknown, message: string) => {
    log.fatal({ err: error }, message);
    if (dying) return; // the first error decides; the rest is its wake
    dying = true;
    // Called here and not after a turn of the loop: the async context still is the one that threw.
    const ran = Promise.allSettled(hooks.map((hook) => attempt(hook, error, log)));
    const deadline = setTimeout(() => {
      log.error({ deadlineMs: FATAL_HOOKS_MS }, "fatal hooks did not finish in time");
      process.exit(EXIT.uncaught);
    }, FATAL_HOOKS_MS);
    ran.then(lastly).finally(() => {
      clearTimeout(deadline);
      process.exit(EXIT.uncaught);
    });
  };
  process.on("uncaughtException", (error) => die(error, "uncaught exception"));
  process.on("unhandledRejection", (reason) => die(reason, "unhandled rejection"));
}

async function attempt(hook: FatalHook, error: unknown, log: Logger): Promise<void> {
  try {
    await hook(error);
  } catch (failure) {
    log.error({ err: failure }, "fatal hook failed");
  }
}

/** After the end of the main story: exit 0 in 5 s if something still holds the process, and say what. */
export function exitIfLingering(log: Logger): void {
  const watchdog = setTimeout(() => {
    const resources = process.getActiveResourcesInfo();
    log.warn({ resources, lingerMs: LINGER_MS }, "something kept the process alive, exiting");
    process.exit(0);
  }, LINGER_MS);
  watchdog.unref(); // it must not be the one that holds the process
}
