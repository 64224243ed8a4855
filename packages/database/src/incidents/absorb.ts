import type { AlertKind, IncidentState } from "../schema.ts";

/** What of an incident decides whether somebody is told. */
export interface Tally {
  readonly state: IncidentState;
  readonly deathCount: bigint;
  /** Deaths before it was opened, or opened again last. */
  readonly countedFrom: bigint;
  /** Deaths since then at which the next alert is due: 1, 10, 100 … */
  readonly nextAlertAt: bigint;
  readonly ignoredUntil: Date | null;
  readonly ignoredAbove: bigint | null;
  readonly resolvedAt: Date | null;
  /** Whether it has a ticket, and what that says. */
  readonly hasTicket: boolean;
  readonly ticketToldCount: bigint | null;
  readonly ticketWantedCount: bigint | null;
}

/** Deaths that are filed together under one incident. */
export interface Arrivals {
  readonly count: bigint;
  readonly lastDiedAt: Date;
}

export interface Absorbed extends Tally {
  readonly reopened: boolean;
  readonly alert: Exclude<AlertKind, "resolved"> | null;
  /** The ticket is to be brought up to date. */
  readonly updatesTicket: boolean;
}

/** An incident that nobody has seen yet. */
export const EMPTY_TALLY: Tally = {
  state: "open",
  deathCount: 0n,
  countedFrom: 0n,
  nextAlertAt: 1n,
  ignoredUntil: null,
  ignoredAbove: null,
  resolvedAt: null,
  hasTicket: false,
  ticketToldCount: null,
  ticketWantedCount: null,
};

/**
 * Count arrivals in, and decide who is told. Pure.
 *
 * One alert at most, however many thresholds are crossed at once. What died before an incident was
 * resolved is no recurrence, whenever it is filed.
 */
export function absorb(tally: Tally, arrivals: Arrivals, now: Date): Absorbed {
  const deathCount = tally.deathCount + arrivals.count;
  const reopened = comesBack(tally, arrivals, deathCount, now);
  const isQuiet = !reopened && (tally.state === "resolved" || tally.state === "ignored");
  const countedFrom = reopened ? tally.deathCount : tally.countedFrom;
  const sinceOpening = deathCount - countedFrom;
  const isDue = !isQuiet && (reopened || sinceOpening >= tally.nextAlertAt);
  const updatesTicket =
    !isQuiet && tally.hasTicket && (reopened || hasOutgrownTicket(tally, deathCount));
  return {
    state: reopened ? (tally.hasTicket ? "ticketed" : "open") : tally.state,
    deathCount,
    countedFrom,
    nextAlertAt: isDue ? nextPowerOfTen(sinceOpening) : tally.nextAlertAt,
    ignoredUntil: reopened ? null : tally.ignoredUntil,
    ignoredAbove: reopened ? null : tally.ignoredAbove,
    resolvedAt: reopened ? null : tally.resolvedAt,
    hasTicket: tally.hasTicket,
    ticketToldCount: tally.ticketToldCount,
    ticketWantedCount: updatesTicket ? deathCount : tally.ticketWantedCount,
    reopened,
    updatesTicket,
    alert: isDue ? kindOf(tally, reopened) : null,
  };
}

function comesBack(tally: Tally, arrivals: Arrivals, deathCount: bigint, now: Date): boolean {
  if (tally.state === "resolved")
    return tally.resolvedAt === null || arrivals.lastDiedAt > tally.resolvedAt;
  if (tally.state !== "ignored") return false;
  const timeIsUp = tally.ignoredUntil !== null && now >= tally.ignoredUntil;
  return timeIsUp || (tally.ignoredAbove !== null && deathCount > tally.ignoredAbove);
}

const kindOf = (tally: Tally, reopened: boolean): Absorbed["alert"] => {
  if (reopened) return "reopened";
  return tally.deathCount === 0n ? "opened" : "grown";
};

/** Ten times what it says, or was last asked to say. */
function hasOutgrownTicket(tally: Tally, deathCount: bigint): boolean {
  const told = tally.ticketToldCount ?? 0n;
  const wanted = tally.ticketWantedCount ?? 0n;
  return deathCount >= 10n * (told > wanted ? told : wanted || 1n);
}

/** The smallest power of ten above `count`. */
function nextPowerOfTen(count: bigint): bigint {
  let power = 1n;
  while (power <= count) power *= 10n;
  return power;
}
