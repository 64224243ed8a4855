import { type Database, keepLetters, type LetterPolicy } from "@ballast/database";
import { type Log, type Rounds, startRounds } from "@ballast/jobs";

const EVERY_MS = 60_000;

/** Keep letters within their time and room. */
export const startRetention = (database: Database, policy: LetterPolicy, log: Log): Rounds =>
  startRounds({
    what: "keep letters within their limits",
    everyMs: EVERY_MS,
    log,
    async round(signal) {
      const kept = await keepLetters(database, policy, signal);
      if (kept.discarded > 0)
        log.warn({ ...kept }, "open letters discarded: they were too old or too many");
      else if (kept.dropped > 0) log.info({ ...kept }, "old letters dropped");
    },
  });
