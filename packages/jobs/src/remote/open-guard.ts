import { setTimeout as pause } from "node:timers/promises";
import { DependencyDownError, PermanentError, RateLimitedError } from "../errors.ts";
import { isUnreachable } from "../unreachable.ts";
import { learn, take, tells } from "./bucket.ts";
import { admit, callsAtATime, type Failure, failed, type Gate, succeeded } from "./gate.ts";
import type { RemoteCall, RemoteGuard } from "./guard.ts";
import type { Remote, RemoteStore } from "./store.ts";
import type { Throttle } from "./throttle.ts";

export interface RemoteGuardOptions {
  readonly store: RemoteStore;
  readonly remote: Remote;
  /** Whose quota the calls count against too, where a marketplace has one for each app. */
  readonly app?: Remote;
  readonly observer?: RemoteObserver;
}

/** Told what calls come to, for metrics and logs. */
export interface RemoteObserver {
  called?(remote: Remote, result: "ok" | "throttled" | "failed" | "refused"): void;
  /** The gate moved, by a call of this process. */
  gate?(remote: Remote, gate: Gate): void;
}

/** How old what is known of a gate may be: a call then costs no round trip. */
const KNOWN_FOR_MS = 1_000;
/** A call waits so long for quota rather than send its job away. */
const LONGEST_WAIT_MS = 2_000;
/** Tokens taken at once: those of a quarter of a second, so that what is taken and not used is little. */
const LEASE_SECONDS = 0.25;
/** For a call that finds no place while the gate opens. */
const RAMP_WAIT_MS = 500;
/** Jobs that wait for the same moment come back spread over a tenth of their wait. */
const SPREAD = 0.1;

/** Put the calls to one remote account behind its gate and its quota, which all processes share. */
export function openRemoteGuard(options: RemoteGuardOptions): RemoteGuard {
  const { store, remote, app, observer = {} } = options;
  const gate = gateOf(store, remote, observer);
  const leases = [remote, ...(app === undefined ? [] : [app])].map((one) => leaseOf(store, one));
  const [own] = leases;
  let running = 0;

  return {
    async call<T>(
      { cost = 1, signal }: RemoteCall,
      call: () => Promise<{ readonly value: T; readonly throttle?: Throttle }>,
    ): Promise<T> {
      await gate.refuseIfClosed(running);
      for (const lease of leases) await lease.take(cost, signal);
      await gate.enter(running);
      running += 1;
      try {
        const { value, throttle } = await call();
        if (throttle !== undefined) await own?.learn(throttle, cost);
        observer.called?.(remote, throttle?.isThrottled === true ? "throttled" : "ok");
        await gate.succeeded();
        return value;
      } catch (error) {
        const failure = signal.aborted ? undefined : failureOf(error);
        if (failure !== undefined) await gate.failed(failure);
        else if (isAnswer(error)) await gate.succeeded();
        observer.called?.(remote, failure === undefined ? "refused" : "failed");
        throw error;
      } finally {
        running -= 1;
      }
    },
  };
}

/** What an error says of the remote; nothing for one that says something of the job or of us. */
function failureOf(error: unknown): Failure | undefined {
  if (error instanceof DependencyDownError) return { code: error.code, message: error.message };
  if (isUnreachable(error)) return { code: "unreachable", message: String(error) };
  return undefined;
}

/** It was there, and said no. */
const isAnswer = (error: unknown): boolean =>
  error instanceof PermanentError || error instanceof RateLimitedError;

function gateOf(store: RemoteStore, remote: Remote, observer: RemoteObserver) {
  let known: { readonly gate: Gate; readonly at: number; readonly skewMs: number } | undefined;

  const keep = (gate: Gate, now: Date) => {
    known = { gate, at: performance.now(), skewMs: now.getTime() - Date.now() };
    return gate;
  };
  const read = async () => {
    if (known !== undefined && performance.now() - known.at < KNOWN_FOR_MS) return known.gate;
    const { gate, now } = await store.read(remote);
    return keep(gate, now);
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
    async refuseIfClosed(running: number): Promise<void> {
      const gate = await read();
      const admission = admit(gate, now());
      if (!admission.goes) throw closed(remote, gate, admission.waitMs);
      if (running >= callsAtATime(gate)) throw ramping(remote);
    },
    /** Go through, as its probe if it is closed. */
    async enter(running: number): Promise<void> {
      const gate = await read();
      if (gate.state === "open") return;
      if (running >= callsAtATime(gate)) throw ramping(remote);
      if (gate.state === "ramping") return;
      const { admission, met } = await store.change(remote, ({ gate: before }, at) => {
        const admission = admit(before, at);
        const after = admission.goes ? (admission.gate ?? before) : before;
        keep(after, at);
        return {
          ...(after === before ? {} : { state: { gate: after } }),
          answer: { admission, met: before },
        };
      });
      if (!admission.goes) throw closed(remote, met, admission.waitMs);
    },
    async succeeded(): Promise<void> {
      const gate = await read();
      if (succeeded(gate) !== gate) await change(succeeded);
    },
    failed: (failure: Failure) => change((gate, at) => failed(gate, failure, at)),
  };
}

function leaseOf(store: RemoteStore, remote: Remote) {
  let left = 0;
  let taking: Promise<number> = Promise.resolve(0);
  let wanted = 1;

  /** @returns milliseconds to wait; 0 once there are tokens */
  const fetch = (need: number) =>
    store.change(remote, ({ bucket }, now) => {
      wanted = Math.max(1, Math.floor((bucket.restorePerSecond ?? 0) * LEASE_SECONDS));
      const taken = take(bucket, { need, want: Math.max(need, wanted) }, now);
      if ("waitMs" in taken) return { answer: taken.waitMs };
      left += taken.granted;
      return { ...(taken.bucket === bucket ? {} : { state: { bucket: taken.bucket } }), answer: 0 };
    });

  return {
    async take(cost: number, signal: AbortSignal): Promise<void> {
      const deadline = performance.now() + LONGEST_WAIT_MS;
      while (left < cost) {
        // One after the other, or each would fetch for itself what one fetches for all.
        const turn = taking.catch(() => 0).then(() => (left >= cost ? 0 : fetch(cost - left)));
        taking = turn;
        const waitMs = await turn;
        if (waitMs === 0) continue;
        if (performance.now() + waitMs > deadline)
          throw new RateLimitedError(
            "quota_used_up",
            `the quota of ${remote.kind} ${remote.key} is used up; there is more in ${waitMs} ms`,
            { retryAfterMs: waitMs },
          );
        await pause(waitMs, undefined, { signal });
      }
      left -= cost;
    },
    async learn(throttle: Throttle, cost: number): Promise<void> {
      left -= (throttle.cost ?? cost) - cost;
      if (throttle.isThrottled || throttle.retryAfterMs !== undefined) left = 0;
      if (!tells(throttle)) return;
      await store.change(remote, ({ bucket }, now) => ({
        state: { bucket: learn(bucket, throttle, now) },
        answer: undefined,
      }));
    },
  };
}

function closed({ kind, key }: Remote, { code, message, closedAt }: Gate, waitMs: number) {
  const since = closedAt === null ? "" : ` since ${closedAt.toISOString()}`;
  return new DependencyDownError(
    "gate_closed",
    `${kind} ${key} is not called${since}: ${code}: ${message}`,
    { retryAfterMs: Math.ceil(waitMs * (1 + Math.random() * SPREAD)) },
  );
}

const ramping = ({ kind, key }: Remote) =>
  new DependencyDownError("gate_ramping", `${kind} ${key} is back, and called by a few at first`, {
    retryAfterMs: Math.ceil(RAMP_WAIT_MS * (1 + Math.random())),
  });
