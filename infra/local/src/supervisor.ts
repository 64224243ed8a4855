import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf, say } from "./say.ts";
import {
  endServiceProcess,
  lastLines,
  type ServiceProcess,
  type ServiceSpec,
  startServiceProcess,
  untilReady,
} from "./service-process.ts";

/** A service that is kept up until it is disposed. */
export interface Supervised extends AsyncDisposable {
  readonly app: string;
  /** Changes with each restart. */
  opsUrl(): string;
}

const firstBackoffMs = 500;
const longestBackoffMs = 30_000;
/** A service that was up for so long has earned a quick restart. */
const goodRunMs = 60_000;
const configurationError = "exit code 78"; // EX_CONFIG: a restart would only repeat it

/**
 * Start a service, wait until it is ready, and restart it with growing pauses when it dies.
 *
 * @throws if it cannot become ready in the first place, with the end of its log
 */
export async function supervise(spec: ServiceSpec, signal: AbortSignal): Promise<Supervised> {
  const stop = new AbortController();
  let service = await firstStart(spec, signal);

  const watching = (async () => {
    for (let backoffMs = firstBackoffMs; ; ) {
      const upSince = performance.now();
      const ended = await service.process.ended;
      if (stop.signal.aborted) return;
      if (performance.now() - upSince > goodRunMs) backoffMs = firstBackoffMs;
      say(
        `${spec.app} ended with ${ended}, is started again in ${backoffMs} ms:\n${lastLines(service)}`,
      );
      await sleep(backoffMs, undefined, { signal: stop.signal }).catch(() => {});
      if (stop.signal.aborted) return;
      backoffMs = Math.min(backoffMs * 2, longestBackoffMs);
      service = await startServiceProcess(spec);
      if (stop.signal.aborted) return endServiceProcess(service); // disposed while it was starting
      untilReady(spec.app, service, stop.signal).then(
        () => say(`${spec.app} is up again`),
        (error) => stop.signal.aborted || say(reasonOf(error)),
      );
    }
  })().catch((error) => say(`${spec.app} is no longer watched: ${reasonOf(error)}`));

  return {
    app: spec.app,
    opsUrl: () => service.opsUrl,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await endServiceProcess(service);
      await watching;
    },
  };
}

/** Two tries: the ops port may have been taken between being found and being bound. */
async function firstStart(spec: ServiceSpec, signal: AbortSignal): Promise<ServiceProcess> {
  for (let tries = 1; ; tries++) {
    const service = await startServiceProcess(spec);
    try {
      await untilReady(spec.app, service, signal);
      return service;
    } catch (error) {
      const final = tries === 2 || signal.aborted || !service.process.hasEnded();
      await endServiceProcess(service);
      if (final || (await service.process.ended) === configurationError) throw error;
    }
  }
}
