import { paymentReminder, queueDefinitions } from "@ballast/contracts";
import { bulkBacklogs, type Database, longestLateReminderSeconds } from "@ballast/database";
import { type Engine, type Log, type Rounds, startRounds, UnfitEngineError } from "@ballast/jobs";
import type { Metrics } from "@ballast/service";

/** However often it is scraped, the engine is asked once in this time. */
const JOBS_EVERY_MS = 5_000;
const REMINDERS_EVERY_MS = 15_000;
const BULK_EVERY_MS = 15_000;
/** Of a queue and priority no more are counted: a million rows cost some 20 ms, as these do. */
const BULK_COUNTED = 10_000;

interface CensusDeps {
  readonly database: Pick<Database, "kysely">;
  readonly engine: Pick<Engine, "census" | "memory" | "assertFit">;
  readonly metrics: Metrics;
  readonly log: Log;
}

/**
 * Report what each queue holds, how late it is, and how the engine's store is. Every replica reports the same. What
 * cannot be measured is absent: an alert must not go on from what was true once.
 */
export function startQueueCensus({ database, engine, metrics, log }: CensusDeps): Rounds[] {
  return [
    startRounds({
      what: "count jobs",
      everyMs: JOBS_EVERY_MS,
      log,
      async round() {
        await countJobs(engine, metrics);
        return undefined;
      },
      forget() {
        for (const gauge of ofEngine(metrics)) gauge.reset();
        metrics.engineMemoryShare.remove();
        metrics.engineUnfit.remove();
      },
    }),
    startRounds({
      what: "look for late reminders",
      everyMs: REMINDERS_EVERY_MS,
      log,
      async round() {
        const { queue, name: job } = paymentReminder;
        const late = { queue: queue.name, job };
        metrics.reminderOverdue.set(await longestLateReminderSeconds(database.kysely, late));
        return undefined;
      },
      forget: () => metrics.reminderOverdue.remove(),
    }),
    startRounds({
      what: "count bulk work",
      everyMs: BULK_EVERY_MS,
      log,
      async round() {
        await countBulk(database, metrics);
        return undefined;
      },
      forget() {
        metrics.bulkPending.reset();
        metrics.bulkOldestAge.reset();
      },
    }),
  ];
}

const ofEngine = ({ jobCount, queuePaused, oldestWaitingAge, overdueDelayedAge }: Metrics) => [
  jobCount,
  queuePaused,
  oldestWaitingAge,
  overdueDelayedAge,
];

async function countJobs(engine: CensusDeps["engine"], metrics: Metrics): Promise<void> {
  for (const { name: queue } of queueDefinitions) {
    const { paused, counts, headSince, nextDueAt } = await engine.census(queue);
    for (const [state, count] of Object.entries(counts))
      metrics.jobCount.set({ queue, state }, count);
    metrics.queuePaused.set({ queue }, paused ? 1 : 0);
    metrics.oldestWaitingAge.set({ queue }, ageSeconds(headSince));
    metrics.overdueDelayedAge.set({ queue }, ageSeconds(nextDueAt));
  }
  const memory = await engine.memory();
  if (memory === null) metrics.engineMemoryShare.remove();
  else metrics.engineMemoryShare.set(memory.usedBytes / memory.maxBytes);
  metrics.engineUnfit.set(await isUnfit(engine));
}

async function countBulk({ kysely }: CensusDeps["database"], metrics: Metrics): Promise<void> {
  const backlogs = await bulkBacklogs(kysely, BULK_COUNTED);
  for (const { name: queue } of queueDefinitions) {
    const backlog = backlogs.find((one) => one.queue === queue);
    metrics.bulkPending.set({ queue }, backlog?.pending ?? 0);
    metrics.bulkOldestAge.set({ queue }, backlog?.oldestAgeSeconds ?? 0);
  }
}

/** Of what is still to come, 0: clocks differ a little, and a delayed job is most often not yet due. */
const ageSeconds = (since: Date | null): number =>
  since === null ? 0 : Math.max(0, (Date.now() - since.getTime()) / 1_000);

const isUnfit = (engine: CensusDeps["engine"]): Promise<0 | 1> =>
  engine.assertFit().then(
    () => 0,
    (error: unknown) => {
      if (error instanceof UnfitEngineError) return 1;
      throw error;
    },
  );
