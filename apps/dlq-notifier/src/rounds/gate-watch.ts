import { deadLetter, email, marketplaceSync, pdf } from "@ballast/contracts";
import { type Database, type FileGatesOptions, fileGates } from "@ballast/database";
import { type Log, type Rounds, startRounds } from "@ballast/jobs";

export interface GateWatchOptions extends Pick<FileGatesOptions, "tell" | "closedForMs"> {
  readonly database: Database;
  readonly log: Log;
}

/** Soon enough for "at once"; few gates are closed, and they have an index. */
const EVERY_MS = 2_000;

/** The queue whose work waits for a remote of each kind. */
const QUEUES = {
  marketplace: marketplaceSync.name,
  smtp: email.name,
  storage: pdf.name,
  channel: deadLetter.name,
} as const;

/** Tell people of remotes that refuse our credentials or are away for too long, and that they are back. */
export const startGateWatch = ({ database, log, ...options }: GateWatchOptions): Rounds =>
  startRounds({
    what: "look for closed gates",
    everyMs: EVERY_MS,
    log,
    async round() {
      const alerts = await fileGates(database, { ...options, queueOf: (kind) => QUEUES[kind] });
      for (const { kind, incidentId, queue } of alerts)
        log.warn({ kind, incidentId, queue }, "alert of a closed gate due");
      return undefined;
    },
  });
