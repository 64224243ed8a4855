import { randomUUID } from "node:crypto";
import { type Database, holdPart, letterCensus } from "@ballast/database";
import { type Log, type Rounds, startRounds } from "@ballast/jobs";
import type { Metrics } from "@ballast/service";

const EVERY_MS = 15_000;
/** A process that ended keeps the part this long. */
const LEASE_MS = 45_000;

/** Report how many letters and incidents there are, from one replica alone: two would count double. */
export const startCensus = (
  database: Database,
  metrics: Pick<Metrics, "deadLetters" | "incidents">,
  log: Log,
): Rounds => {
  const me = randomUUID();
  return startRounds({
    what: "count letters and incidents",
    everyMs: EVERY_MS,
    log,
    async round() {
      const isMine = await holdPart(database.kysely, "letter_census", me, LEASE_MS);
      const { letters, incidents } = isMine
        ? await letterCensus(database.kysely)
        : { letters: [], incidents: [] };
      metrics.deadLetters.reset();
      metrics.incidents.reset();
      for (const { queue, state, count } of letters)
        metrics.deadLetters.set({ queue, state }, count);
      for (const { state, count } of incidents) metrics.incidents.set({ state }, count);
    },
  });
};
