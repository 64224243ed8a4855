/**
 * The gate of one remote account: open to traffic, closed while the remote is away, and for a while after
 * that open to a little more with each call that comes through. Values alone: whoever keeps the state does
 * each change to it at once, so that all processes go through the same gate.
 */
export interface Gate {
  readonly state: "open" | "closed" | "ramping";
  /** In a row, while it is open. */
  readonly failures: number;
  /** Calls that were let through a closed gate since it closed. */
  readonly probes: number;
  /** In a row, since the first probe that came through. */
  readonly successes: number;
  readonly closedAt: Date | null;
  /** What it closed for, or the last probe met. */
  readonly code: string | null;
  readonly message: string | null;
  /** From when on one call may go through a closed gate. */
  readonly nextProbeAt: Date | null;
  /** From when on a ramping gate is open, if no call fails until then. A store reads it as open by then. */
  readonly opensAt: Date | null;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
}

export const openGate: Gate = {
  state: "open",
  failures: 0,
  probes: 0,
  successes: 0,
  closedAt: null,
  code: null,
  message: null,
  nextProbeAt: null,
  opensAt: null,
};

/** Credentials that are refused will be refused again. */
export const AUTH_FAILED = "auth_failed";

/** One failure may be a lost packet; this many in a row are an outage. */
const FAILURES_TO_CLOSE = 5;
/** Probes at 2, 5, 9.5, 16, 26 and 42 s, and then once a minute. */
const FIRST_PROBE_MS = 2_000;
const PROBE_GROWTH = 1.5;
const EARLY_PROBES = 6;
const LATE_PROBE_MS = 60_000;
/** A probe whose process ends is followed by another after this time: longer than any pause, see {@link admit}. */
const PROBE_LEASE_MS = LATE_PROBE_MS + 30_000;
/** Whoever meets a probe under way comes again to see what came of it. */
const LOOK_AGAIN_MS = 5_000;
/** From one call at a time to all of them. */
const SUCCESSES_TO_OPEN = 10;
/** The same for a remote that is called so seldom that ten successes take hours. */
const OPENS_AFTER_MS = 10 * 60_000;

export type Admission =
  /** `gate` is there where letting it through changed it. */
  { readonly goes: true; readonly gate?: Gate } | { readonly goes: false; readonly waitMs: number };

/** Let a call through, or say when to come back. */
export function admit(gate: Gate, now: Date): Admission {
  if (gate.state !== "closed" || gate.nextProbeAt === null) return { goes: true };
  const dueMs = gate.nextProbeAt.getTime() - now.getTime();
  if (dueMs > 0) {
    const delayMs = probeDelayMs(gate.probes);
    const isUnderWay = dueMs > delayMs; // the last one's lease, not the pause after it
    return { goes: false, waitMs: isUnderWay ? Math.min(delayMs, LOOK_AGAIN_MS) : dueMs };
  }
  return {
    goes: true,
    gate: { ...gate, probes: gate.probes + 1, nextProbeAt: later(now, PROBE_LEASE_MS) },
  };
}

/** How many calls may run at a time, in each process. */
export const callsAtATime = ({ state, successes }: Gate): number =>
  state === "ramping" ? Math.max(1, successes) : Number.POSITIVE_INFINITY;

/** The remote answered, whatever it said. */
export function succeeded(gate: Gate, now: Date): Gate {
  if (gate.state === "open") return gate.failures === 0 ? gate : openGate;
  const successes = gate.successes + 1;
  if (successes >= SUCCESSES_TO_OPEN) return openGate;
  const opensAt = gate.state === "ramping" ? gate.opensAt : later(now, OPENS_AFTER_MS);
  return { ...gate, state: "ramping", successes, nextProbeAt: null, opensAt };
}

/** The remote did not answer, could not work, or refuses who we are. */
export function failed(gate: Gate, { code, message }: Failure, now: Date): Gate {
  const failures = gate.failures + 1;
  if (gate.state === "open" && code !== AUTH_FAILED && failures < FAILURES_TO_CLOSE)
    return { ...gate, failures, code, message };
  return {
    ...gate,
    state: "closed",
    failures,
    successes: 0,
    closedAt: gate.closedAt ?? now,
    code,
    message,
    nextProbeAt: later(now, probeDelayMs(gate.probes)),
    opensAt: null,
  };
}

/** How long after a failure the next probe is due, by the number of those before it. */
export const probeDelayMs = (probes: number): number =>
  probes < EARLY_PROBES ? FIRST_PROBE_MS * PROBE_GROWTH ** probes : LATE_PROBE_MS;

const later = (now: Date, ms: number): Date => new Date(now.getTime() + ms);
