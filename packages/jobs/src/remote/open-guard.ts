import { setTimeout as pause } from "node:timers/promises";
import { DependencyDownError, PermanentError, RateLimitedError } from "../errors.ts";
import { callSpan } from "../spans.ts";
import { type Tracer, traced } from "../tracing.ts";
import { isUnreachable } from "../unreachable.ts";
import { CERTIFICATE_REFUSED, isCertificateCode } from "./certificates.ts";
import {
  AUTH_FAILED,
  admit,
  callsAtATime,
  type Failure,
  failed,
  type Gate,
  succeeded,
} from "./gate.ts";
import type { RemoteCall, RemoteGuard } from "./guard.ts";
import { openQuota, type Preset } from "./quota.ts";
import type { Remote, RemoteStore } from "./store.ts";
import type { Throttle } from "./throttle.ts";

export interface RemoteGuardOptions {
  readonly store: RemoteStore;
  readonly remote: Remote;
  /** Whose quota the calls count against too, where a marketplace has one for each app. */
  readonly app?: SharedQuota;
  readonly observer?: RemoteObserver;
  /** Absent where nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** What an error of a call says of the remote; {@link verdictOf} knows those of the runtime. */
  readonly judge?: (error: unknown) => Verdict;
}

/** It failed; it was there, and said no; or the error says something of the job or of us. */
export type Verdict = Failure | "answered" | "unclear";

/** A quota that several remotes draw on. */
export interface SharedQuota {
  readonly remote: Remote;
  /** What settings tell of it, since answers do not; without it there is none until it is used up. */
  readonly quota?: Preset;
  /** Whether a refusal of one is a refusal of all. */
  readonly isRefusedTogether: boolean;
}

/** Told what calls come to, for metrics and logs. */
export interface RemoteObserver {
  called?(remote: Remote, result: "ok" | "throttled" | "failed" | "refused"): void;
  /** The gate moved, by a call of this process. */
  gate?(remote: Remote, gate: Gate): void;
}

/** How old what is known of a gate may be: a call then costs no round trip. */
const KNOWN_FOR_MS = 1_000;
/** For a call that finds no place while the gate opens. */
const RAMP_WAIT_MS = 500;
/** Jobs that wait for the same moment come back spread over a tenth of their wait. */
const SPREAD = 0.1;
/**
 * Longer waits end anywhere from here on: a probe may be under way elsewhere, and whoever waits for the next one
 * would come a minute late where it goes well.
 */
const LONG_WAIT_MS = 10_000;
/** So long calls wait for the end of a probe of their own process rather than send their jobs away. */
const PROBE_WAIT_MS = 10_000;

/** Put the calls to one remote account behind its gate and its quota, which all processes share. */
export function openRemoteGuard(options: RemoteGuardOptions): RemoteGuard {
  const { store, remote, app, observer = {}, tracer, judge = verdictOf } = options;
  const gate = gateOf(store, remote, observer);
  const own = openQuota(store, remote);
  const shared = app && openQuota(store, app.remote, app.quota);

  async function learnFrom(throttle: Throttle, cost: number): Promise<void> {
    await own.learn(throttle, cost);
    const { isThrottled, retryAfterMs } = throttle;
    if (app?.isRefusedTogether === true && isThrottled && retryAfterMs !== undefined)
      await shared?.learn({ isThrottled, retryAfterMs }, cost);
  }

  async function blame(error: unknown, signal: AbortSignal): Promise<void> {
    const verdict = signal.aborted ? "unclear" : judge(error);
    if (typeof verdict === "object") await gate.failed(verdict);
    else if (verdict === "answered") await gate.succeeded();
    observer.called?.(remote, typeof verdict === "object" ? "failed" : "refused");
  }

  return {
    admit: (signal) => gate.refuseIfClosed(signal),
    async call<T>(
      { cost = 1, signal }: RemoteCall,
      call: () => Promise<{ readonly value: T; readonly throttle?: Throttle }>,
    ): Promise<T> {
      await gate.refuseIfClosed(signal);
      await own.take(cost, signal);
      await shared?.take(cost, signal);
      await gate.enter(signal);
      try {
        const { value, throttle } = await traced(tracer, () => callSpan(remote), call).catch(
          async (error: unknown) => {
            await blame(error, signal);
            throw error;
          },
        );
        if (throttle !== undefined) await learnFrom(throttle, cost);
        observer.called?.(remote, throttle?.isThrottled === true ? "throttled" : "ok");
        await gate.succeeded();
        return value;
      } finally {
        gate.left();
      }
    },
  };
}

/** What an error says of the remote, by its class and by what {@link isUnreachable} knows. */
export function verdictOf(error: unknown): Verdict {
  if (error instanceof DependencyDownError) return { code: error.code, message: error.message };
  if (error instanceof PermanentError || error instanceof RateLimitedError) return "answered";
  if (!isUnreachable(error)) return "unclear";
  // Its message may name what one job asked for, and all that wait for the gate read it.
  const { code = "no code", accessDenied } = error as { code?: unknown; accessDenied?: unknown };
  const message = String(code);
  if (accessDenied === true) return { code: AUTH_FAILED, message };
  return { code: isCertificateCode(code) ? CERTIFICATE_REFUSED : "unreachable", message };
}

function gateOf(store: RemoteStore, remote: Remote, observer: RemoteObserver) {
  let known: { readonly gate: Gate; readonly at: number; readonly skewMs: number } | undefined;
  /** The probe of this process that is under way. */
  let probe: PromiseWithResolvers<void> | undefined;
  let running = 0;

  const keep = (gate: Gate, now: Date) => {
    known = { gate, at: performance.now(), skewMs: now.getTime() - Date.now() };
    return gate;
  };
  /** Asked once for all calls that want to know meanwhile. */
  let reading: Promise<Gate> | undefined;
  const read = async () => {
    if (known !== undefined && performance.now() - known.at < KNOWN_FOR_MS) return known.gate;
    reading ??= store
      .read(remote)
      .then(({ gate, now }) => keep(gate, now))
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  const now = () => new Date(Date.now() + (known?.skewMs ?? 0));
  const change = (next: (gate: Gate, now: Date) => Gate) =>
    store.change(remote, ({ gate: before }, at) => {
      const gate = next(before, at);
      keep(gate, at);
      if (gate.state !== before.state) observer.gate?.(remote, gate);
      return { ...(gate === before ? {} : { state: { gate } }), answer: undefined };
    });

  return {
    /** Before anything is taken for the call. */
    async refuseIfClosed(signal: AbortSignal): Promise<void> {
      let gate = await read();
      let admission = admit(gate, now());
      if (!admission.goes && probe !== undefined) {
        await endOf(probe.promise, signal);
        gate = await read();
        admission = admit(gate, now());
      }
      if (!admission.goes) throw closed(remote, gate, admission.waitMs);
      if (running >= callsAtATime(gate)) throw ramping(remote);
    },
    /** Go through, as its probe if it is closed; {@link left} follows. */
    async enter(signal: AbortSignal): Promise<void> {
      const gate = await read();
      if (running >= callsAtATime(gate)) throw ramping(remote);
      if (gate.state !== "closed") {
        running += 1;
        return;
      }
      const { admission, met } = await store.change(remote, ({ gate: before }, at) => {
        const admission = admit(before, at);
        const after = admission.goes ? (admission.gate ?? before) : before;
        keep(after, at);
        return {
          ...(after === before ? {} : { state: { gate: after } }),
          answer: { admission, met: before },
        };
      });
      if (!admission.goes) {
        if (probe === undefined) throw closed(remote, met, admission.waitMs);
        await this.refuseIfClosed(signal);
        return this.enter(signal);
      }
      if (admission.gate !== undefined) probe = Promise.withResolvers();
      running += 1;
    },
    /** A call is over; if it was the probe, whoever waits for that looks again. */
    left(): void {
      running -= 1;
      probe?.resolve();
      probe = undefined;
    },
    async succeeded(): Promise<void> {
      const gate = await read();
      if (succeeded(gate, now()) !== gate) await change(succeeded);
    },
    failed: (failure: Failure) => change((gate, at) => failed(gate, failure, at)),
  };
}

/** Waits for a probe, for a bounded time. */
async function endOf(probe: Promise<void>, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const late = pause(PROBE_WAIT_MS, undefined, { signal: AbortSignal.any([signal, ended.signal]) });
  await Promise.race([probe, late.catch(() => {})]);
  ended.abort();
  signal.throwIfAborted();
}

function closed({ kind, key }: Remote, { code, message, closedAt }: Gate, waitMs: number) {
  const since = closedAt === null ? "" : ` since ${closedAt.toISOString()}`;
  return new DependencyDownError(
    "gate_closed",
    `${kind} ${key} is not called${since}: ${code}: ${message}`,
    { retryAfterMs: Math.ceil(spread(waitMs)) },
  );
}

const spread = (waitMs: number): number =>
  waitMs > LONG_WAIT_MS
    ? LONG_WAIT_MS + Math.random() * (waitMs * (1 + SPREAD) - LONG_WAIT_MS)
    : waitMs * (1 + Math.random() * SPREAD);

const ramping = ({ kind, key }: Remote) =>
  new DependencyDownError("gate_ramping", `${kind} ${key} is back, and called by a few at first`, {
    retryAfterMs: Math.ceil(RAMP_WAIT_MS * (1 + Math.random())),
  });
