import { deadLetter } from "@ballast/contracts";
import {
  type Database,
  DEATH_CHANNEL,
  fileLetters,
  type PrivateFieldsOf,
  type Tell,
  tellResolved,
} from "@ballast/database";
import { type Log, startRounds } from "@ballast/jobs";

export interface FilingOptions {
  readonly database: Database;
  readonly tell: Tell;
  readonly privateFieldsOf: PrivateFieldsOf;
  readonly log: Log;
  /** Told of each alert that was due and held back. */
  readonly onWithheld?: () => void;
}

const BATCH = 500;
/** State is the truth and notifications a fast path, so state is asked this often. */
const POLL_MS = 2_000;
/** Its own deaths raise no alert, or a dead channel would alert about itself. */
const UNTOLD = [deadLetter.name];

/** File letters into incidents as they are parked, and make the alerts that this, or an operator, made due. */
export async function startFiling({
  database,
  tell,
  privateFieldsOf,
  log,
  onWithheld = () => {},
}: FilingOptions): Promise<AsyncDisposable> {
  const options = { limit: BATCH, tell, privateFieldsOf, untoldQueues: UNTOLD };
  const rounds = startRounds({
    what: "file dead letters",
    everyMs: POLL_MS,
    log,
    async round() {
      const { letters, alerts, withheld } = await fileLetters(database, options);
      const resolved = await tellResolved(database, options);
      for (const { kind, incidentId, queue, deathCount } of [...alerts, ...resolved])
        log.warn({ kind, incidentId, queue, deathCount: Number(deathCount) }, "alert due");
      for (const { incidentId, deathCount } of withheld) {
        onWithheld();
        log.error(
          { incidentId, deathCount: Number(deathCount) },
          "alerts or tickets themselves die: look at the letters of queue dead-letter",
        );
      }
      return letters === BATCH ? 0 : undefined;
    },
  });
  try {
    const listening = await database.listen(DEATH_CHANNEL, () => rounds.wake());
    return {
      async [Symbol.asyncDispose]() {
        await listening[Symbol.asyncDispose]();
        await rounds[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await rounds[Symbol.asyncDispose]();
    throw error;
  }
}
