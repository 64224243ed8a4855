import {
  type Database,
  dueSchedules,
  keepSchedules,
  longestOverdueSeconds,
  type ScheduleRule,
  setNextTick,
  type Tx,
  takeDueSchedule,
} from "@ballast/database";
import { type Dispatcher, type Log, type Requests, type Rounds, startRounds } from "@ballast/jobs";
import type { Metrics } from "@ballast/service";
import { askScheduled } from "./ask-scheduled.ts";
import { scheduledJobs, scheduleRules } from "./rules.ts";
import { hasTicks, tickAfter, tickUpTo } from "./ticks.ts";

/** How late a tick may be asked for, at most. */
const EVERY_MS = 2_000;
const AT_ONCE = 100;

interface ClockDeps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "scheduleOverdue">;
}

/**
 * Ask for what is due, for ever; in every replica at once, and each tick once. Ticks that were missed while no
 * replica ran are one, asked for on return.
 */
export function startSchedules(deps: ClockDeps): Rounds {
  const { database } = deps;
  const log = deps.log.child({ part: "schedules" });
  const told = new Set<string>();
  /** Rules of an account whose cron no calendar has are left out, and said once. */
  const isKept = (rule: ScheduleRule): boolean => {
    const kept = hasTicks(rule);
    const { id, cron, timeZone } = rule;
    if (!kept && !told.has(id)) log.warn({ schedule: id, cron, timeZone }, "this is never due");
    if (!kept) told.add(id);
    return kept;
  };
  const askForWhatIsDue = async (): Promise<number> => {
    const rules = (await scheduleRules(database.kysely)).filter(isKept);
    await keepSchedules(database, rules, scheduledJobs, tickAfter);
    const due = await dueSchedules(database.kysely, AT_ONCE);
    const failures: unknown[] = [];
    for (const id of due)
      await askIfDue(id, { ...deps, log }).catch((error: unknown) => failures.push(error));
    if (due.length > failures.length) deps.dispatcher.nudge();
    // One that cannot be asked for keeps no other from it.
    if (failures.length > 0) throw failures[0];
    return due.length;
  };
  return startRounds({
    what: "ask for what is scheduled",
    everyMs: EVERY_MS,
    log,
    async round() {
      try {
        return (await askForWhatIsDue()) === AT_ONCE ? 0 : undefined;
      } finally {
        // Also where asking fails: that is when it grows.
        await tellOverdue(deps);
      }
    },
  });
}

/** What cannot be measured is absent: an alert must not go on from what was true once. */
async function tellOverdue({ database, metrics }: ClockDeps): Promise<void> {
  const seconds = await longestOverdueSeconds(database.kysely).catch((error: unknown) => {
    metrics.scheduleOverdue.remove();
    throw error;
  });
  metrics.scheduleOverdue.set(seconds);
}

const askIfDue = (id: string, { database, requests, log }: ClockDeps): Promise<void> =>
  database.transaction(async (tx) => {
    const schedule = await takeDueSchedule(tx, id);
    if (schedule === undefined) return;
    const { now } = schedule;
    const dueAt = tickUpTo(schedule, now) ?? schedule.nextAt;
    const nextAt = tickAfter(schedule, now);
    const { requestId } = await askScheduled(tx, requests, schedule, {
      dueAt,
      requestedBy: `schedule:${id}`,
    });
    await setNextTick(tx, id, nextAt);
    const lateMs = now.getTime() - dueAt.getTime();
    log.info({ schedule: id, dueAt, lateMs, requestId, nextAt }, "asked for, as scheduled");
  });
