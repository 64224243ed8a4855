import { randomUUID } from "node:crypto";
import { queueDefinitions } from "@ballast/contracts";
import { type Database, holdPart, leavePart, letterCensus } from "@ballast/database";
import { type Log, type Rounds, startRounds } from "@ballast/jobs";
import type { Metrics } from "@ballast/service";

const EVERY_MS = 15_000;
const PART = "letter_census";
/** A process that was killed keeps the part this long. */
const LEASE_MS = 45_000;

/** Report how many letters and incidents there are, from one replica alone: two would count double. */
export const startCensus = (
  database: Database,
  metrics: Pick<Metrics, "deadLetters" | "incidents">,
  log: Log,
): Rounds => {
  const me = randomUUID();
  const forget = () => {
    metrics.deadLetters.reset();
    metrics.incidents.reset();
  };
  const rounds = startRounds({
    what: "count letters and incidents",
    everyMs: EVERY_MS,
    log,
    async round() {
      const isMine = await holdPart(database.kysely, PART, me, LEASE_MS);
      const census = isMine ? await letterCensus(database.kysely) : undefined;
      forget();
      if (census === undefined) return;
      // A first letter shows as one more only where there was a 0 before.
      for (const { name } of queueDefinitions)
        metrics.deadLetters.set({ queue: name, state: "open" }, 0);
      for (const { queue, state, count } of census.letters)
        metrics.deadLetters.set({ queue, state }, count);
      for (const { state, count } of census.incidents) metrics.incidents.set({ state }, count);
    },
    forget,
  });
  return {
    wake: rounds.wake,
    async [Symbol.asyncDispose]() {
      await rounds[Symbol.asyncDispose]();
      // Where the database is away, the part is free once its lease is over.
      await leavePart(database.kysely, PART, me).catch(() => {});
    },
  };
};
