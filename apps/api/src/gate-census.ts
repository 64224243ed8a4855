import { type CountedRemote, type Database, remoteCensus } from "@ballast/database";
import {
  AUTH_FAILED,
  CERTIFICATE_REFUSED,
  type Log,
  quotaLeft,
  type Rounds,
  startRounds,
} from "@ballast/jobs";
import type { Metrics } from "@ballast/service";

/** However often it is scraped, PostgreSQL is asked once in this time. */
const EVERY_MS = 5_000;
/** What no waiting mends. */
const NEEDS_A_PERSON: ReadonlySet<string | null> = new Set([AUTH_FAILED, CERTIFICATE_REFUSED]);

type GateMetrics = Pick<Metrics, "gateClosed" | "gateRefused" | "quotaLeft">;

/** Report which remotes are not called, and what is left of their quotas. Every replica reports the same. */
export const startGateCensus = (
  database: Pick<Database, "kysely">,
  metrics: GateMetrics,
  log: Log,
): Rounds =>
  startRounds({
    what: "count closed gates",
    everyMs: EVERY_MS,
    log,
    async round() {
      const remotes = await remoteCensus(database.kysely);
      forget(metrics);
      for (const remote of remotes) {
        const labels = labelsOf(remote);
        const { state, code } = remote.gate;
        metrics.gateClosed.set(labels, state === "closed" ? 1 : 0);
        metrics.gateRefused.set(labels, state === "closed" && NEEDS_A_PERSON.has(code) ? 1 : 0);
        const left = quotaLeft(remote.bucket, remote.now);
        if (left !== null) metrics.quotaLeft.set(labels, left);
      }
      return undefined;
    },
    forget: () => forget(metrics),
  });

/** A remote that is gone, or of which nobody knows, must not stay as it was. */
const forget = ({ gateClosed, gateRefused, quotaLeft }: GateMetrics): void => {
  for (const gauge of [gateClosed, gateRefused, quotaLeft]) gauge.reset();
};

const labelsOf = ({ kind, key, marketplace }: CountedRemote): Record<string, string> =>
  kind === "marketplace" && marketplace !== null
    ? { kind, marketplace, account: key }
    : { kind, key };
