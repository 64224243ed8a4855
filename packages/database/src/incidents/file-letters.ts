import { type Selectable, sql } from "kysely";
import type { Database, Tx } from "../database.ts";
import type { Schema } from "../schema.ts";
import { storableJson, storableText } from "../storable.ts";
import { uuidv7 } from "../uuidv7.ts";
import { type Absorbed, absorb, EMPTY_TALLY, type Tally } from "./absorb.ts";
import { type NewAlert, recordAlert, type Tell } from "./alerts.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { hidePrivate, type PrivateFieldsOf } from "./private-values.ts";

/** Notified by the statement that parks a letter. */
export const DEATH_CHANNEL = "ballast_death";

export interface FilingOptions {
  /** Letters filed in one transaction. */
  readonly limit: number;
  /** Ask for what is to be told, inside the transaction. */
  readonly tell: Tell;
  /** Incidents of these queues are filed and never told: what tells people must not tell about itself. */
  readonly untoldQueues?: readonly string[];
  readonly privateFieldsOf: PrivateFieldsOf;
  readonly now?: Date;
}

export interface Filed {
  readonly letters: number;
  readonly alerts: readonly NewAlert[];
  /** Alerts that were due and held back, as their queue is one of the untold. */
  readonly withheld: readonly NewAlert[];
}

type IncidentRow = Selectable<Schema["incidents"]>;

/** Letters of one queue and fingerprint that are filed together. */
interface Group {
  readonly queue: string;
  readonly fingerprint: string;
  readonly title: string;
  readonly job: string;
  readonly code: string | null;
  readonly runIds: string[];
  readonly versions: Set<string>;
  firstDiedAt: Date;
  lastDiedAt: Date;
}

/** An incident that outlives many deploys names the latest. */
const MAX_VERSIONS = 20;

/**
 * Put parked letters under the incidents they belong to, and ask for the alerts and ticket comments that
 * this makes due; all of it commits together.
 *
 * Any number of processes may at once: no letter is counted twice, and no threshold told twice.
 */
export async function fileLetters(database: Database, options: FilingOptions): Promise<Filed> {
  const now = options.now ?? new Date();
  return await database.transaction(async (tx) => {
    const groups = await takeUnfiled(tx, options);
    const incidents = await lockIncidents(tx, groups);
    const alerts: NewAlert[] = [];
    const withheld: NewAlert[] = [];
    let letters = 0;
    for (const group of groups) {
      const incident = incidents.get(keyOf(group));
      if (incident === undefined) throw new Error(`incident ${keyOf(group)} vanished while locked`);
      const arrivals = { count: BigInt(group.runIds.length), lastDiedAt: group.lastDiedAt };
      const absorbed = absorb(tallyOf(incident), arrivals, now);
      await writeIncident(tx, incident, group, absorbed);
      await markFiled(tx, incident.id, group);
      letters += group.runIds.length;

      const isTold = !options.untoldQueues?.includes(group.queue);
      if (absorbed.alert !== null) {
        const alert: NewAlert = {
          id: uuidv7(),
          incidentId: incident.id,
          queue: group.queue,
          kind: absorbed.alert,
          deathCount: absorbed.deathCount,
        };
        (isTold ? alerts : withheld).push(alert);
        if (isTold) await recordAlert(tx, alert, options.tell);
      }
      if (absorbed.updatesTicket && isTold) await options.tell.ticket(tx, incident.id);
    }
    return { letters, alerts, withheld };
  });
}

async function takeUnfiled(tx: Tx, options: FilingOptions): Promise<Group[]> {
  const letters = await tx
    .selectFrom("deadLetters")
    .select(["runId", "queue", "job", "code", "message", "stack", "payload", "worker", "diedAt"])
    .where("incidentId", "is", null)
    .orderBy("parkedAt")
    .orderBy("runId")
    .limit(options.limit)
    .forUpdate()
    .skipLocked()
    .execute();
  const groups = new Map<string, Group>();
  for (const letter of letters) {
    const fields = options.privateFieldsOf(letter.queue, letter.job);
    const { fingerprint, title } = fingerprintOf({
      code: letter.code,
      message: hidePrivate(letter.message, letter.payload, fields),
      stack: letter.stack,
    });
    const key = keyOf({ queue: letter.queue, fingerprint });
    const group = groups.get(key) ?? {
      queue: letter.queue,
      fingerprint,
      title,
      job: letter.job,
      code: letter.code,
      runIds: [],
      versions: new Set(),
      firstDiedAt: letter.diedAt,
      lastDiedAt: letter.diedAt,
    };
    groups.set(key, group);
    group.runIds.push(letter.runId);
    if (letter.diedAt < group.firstDiedAt) group.firstDiedAt = letter.diedAt;
    if (letter.diedAt > group.lastDiedAt) group.lastDiedAt = letter.diedAt;
    const version = versionOf(letter.worker);
    if (version !== undefined) group.versions.add(version);
  }
  // In one order everywhere, so that two replicas never wait for each other.
  return [...groups.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

async function lockIncidents(
  tx: Tx,
  groups: readonly Group[],
): Promise<ReadonlyMap<string, IncidentRow>> {
  if (groups.length === 0) return new Map();
  await tx
    .insertInto("incidents")
    .values(
      groups.map((group) => ({
        id: uuidv7(),
        queue: group.queue,
        fingerprint: group.fingerprint,
        job: group.job,
        code: group.code,
        title: storableText(group.title),
        firstSeenAt: group.firstDiedAt,
        lastSeenAt: group.lastDiedAt,
      })),
    )
    .onConflict((oc) => oc.columns(["queue", "fingerprint"]).doNothing())
    .execute();
  const { rows } = await sql<IncidentRow>`
    SELECT i.* FROM incidents i
    JOIN jsonb_to_recordset(${storableJson(groups.map(({ queue, fingerprint }) => ({ queue, fingerprint })))}::jsonb)
      AS g(queue text, fingerprint text) ON i.queue = g.queue AND i.fingerprint = g.fingerprint
    ORDER BY i.queue COLLATE "C", i.fingerprint FOR UPDATE OF i`.execute(tx);
  return new Map(rows.map((row) => [keyOf(row), row]));
}

const tallyOf = (row: IncidentRow): Tally =>
  row.deathCount === 0n ? EMPTY_TALLY : { ...row, hasTicket: row.ticketUrl !== null };

async function writeIncident(
  tx: Tx,
  incident: IncidentRow,
  group: Group,
  absorbed: Absorbed,
): Promise<void> {
  const versions = new Set([...incident.workerVersions, ...group.versions]);
  await tx
    .updateTable("incidents")
    .set({
      state: absorbed.state,
      deathCount: absorbed.deathCount,
      countedFrom: absorbed.countedFrom,
      nextAlertAt: absorbed.nextAlertAt,
      ignoredUntil: absorbed.ignoredUntil,
      ignoredAbove: absorbed.ignoredAbove,
      resolvedAt: absorbed.resolvedAt,
      ticketWantedCount: absorbed.ticketWantedCount,
      reopenedCount: incident.reopenedCount + (absorbed.reopened ? 1 : 0),
      firstSeenAt: sql<Date>`least(first_seen_at, ${group.firstDiedAt})`,
      lastSeenAt: sql<Date>`greatest(last_seen_at, ${group.lastDiedAt})`,
      workerVersions: [...versions].slice(-MAX_VERSIONS),
    })
    .where("id", "=", incident.id)
    .execute();
}

async function markFiled(tx: Tx, incidentId: string, group: Group): Promise<void> {
  await tx
    .updateTable("deadLetters")
    .set({ incidentId, fingerprint: group.fingerprint })
    .where(sql<boolean>`run_id = ANY(${group.runIds}::uuid[])`)
    .execute();
}

const keyOf = ({ queue, fingerprint }: { queue: string; fingerprint: string }): string =>
  `${queue} ${fingerprint}`;

/** What follows the `@` in a worker's name, e.g. `1.2.3` of `host:7@1.2.3`. */
const versionOf = (worker: string | null): string | undefined => {
  const at = worker?.lastIndexOf("@") ?? -1;
  return at < 0 ? undefined : worker?.slice(at + 1) || undefined;
};
