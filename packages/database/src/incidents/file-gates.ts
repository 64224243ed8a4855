import { createHash } from "node:crypto";
import { type Selectable, sql } from "kysely";
import type { Database, Tx } from "../database.ts";
import type { Remote } from "../remotes/port.ts";
import { isOpen } from "../remotes/shut-gate.ts";
import type { Schema } from "../schema.ts";
import { storableText } from "../storable.ts";
import { uuidv7 } from "../uuidv7.ts";
import { absorb, EMPTY_TALLY } from "./absorb.ts";
import { type NewAlert, recordAlert, type Tell } from "./alerts.ts";
import { normalizeMessage } from "./fingerprint.ts";

export interface FileGatesOptions {
  /** Ask for what is to be told, inside the transaction. */
  readonly tell: Tell;
  /** How long a gate may be closed before anybody is told. */
  readonly closedForMs: number;
  /** The queue whose work waits for it. */
  readonly queueOf: (kind: Remote["kind"]) => string;
  readonly now?: Date;
}

/** The job runtime's word for credentials that are refused: nobody but a person ends that, so nobody waits. */
const AUTH_FAILED = "auth_failed";

interface ClosedGate {
  readonly kind: Remote["kind"];
  readonly key: string;
  readonly name: string;
  readonly closedAt: Date;
  readonly code: string;
  readonly message: string;
}

type IncidentRow = Selectable<Schema["incidents"]>;

/**
 * Open an incident for each gate that is closed because credentials are refused, or for too long, and resolve those
 * of gates that are open again; ask for the alerts that this makes due. All of it commits together.
 *
 * Each closing is told once, and once more if it turns out that credentials are refused. Any number of processes may.
 */
export async function fileGates(
  database: Database,
  options: FileGatesOptions,
): Promise<readonly NewAlert[]> {
  return await database.transaction(async (tx) => {
    await resolveOpen(tx);
    const gates = await closedGates(tx, options.closedForMs);
    const incidents = await lockIncidents(tx, gates, options.queueOf);
    const alerts: NewAlert[] = [];
    for (const gate of gates) {
      const incident = incidents.get(fingerprintOfRemote(gate));
      const alert = incident && (await file(tx, incident, gate, options));
      if (alert !== undefined) alerts.push(alert);
    }
    return alerts;
  });
}

/** What nobody was told of yet. */
async function closedGates(tx: Tx, closedForMs: number): Promise<ClosedGate[]> {
  const { rows } = await sql<ClosedGate>`
    SELECT r.kind, r.key, coalesce(a.name || ' (' || a.kind || ')', r.key) AS name, r.closed_at,
           coalesce(r.code, '') AS code, coalesce(r.message, '') AS message
    FROM remotes r
    LEFT JOIN marketplace_accounts a ON r.kind = 'marketplace' AND a.id::text = r.key
    LEFT JOIN incidents i ON i.remote_kind = r.kind AND i.remote_key = r.key
    WHERE r.gate = 'closed'
      AND (r.code = ${AUTH_FAILED} OR r.closed_at <= now() - ${closedForMs} * interval '1 millisecond')
      AND (i.id IS NULL OR i.gate_closed_at <> r.closed_at
           OR (r.code = ${AUTH_FAILED} AND i.code IS DISTINCT FROM r.code))
    ORDER BY r.kind, r.key`.execute(tx);
  return rows;
}

/** By fingerprint, in one order everywhere, so that two processes never wait for each other. */
async function lockIncidents(
  tx: Tx,
  gates: readonly ClosedGate[],
  queueOf: FileGatesOptions["queueOf"],
): Promise<ReadonlyMap<string, IncidentRow>> {
  if (gates.length === 0) return new Map();
  await tx
    .insertInto("incidents")
    .values(
      gates.map((gate) => ({
        id: uuidv7(),
        queue: queueOf(gate.kind),
        fingerprint: fingerprintOfRemote(gate),
        job: "gate",
        title: "",
        firstSeenAt: gate.closedAt,
        lastSeenAt: gate.closedAt,
        remoteKind: gate.kind,
        remoteKey: gate.key,
        remoteName: storableText(gate.name),
        // As long as nobody filed it: no gate closed so early.
        gateClosedAt: new Date(0),
      })),
    )
    .onConflict((oc) => oc.columns(["queue", "fingerprint"]).doNothing())
    .execute();
  const rows = await tx
    .selectFrom("incidents")
    .selectAll()
    .where("fingerprint", "in", gates.map(fingerprintOfRemote))
    .where("remoteKind", "is not", null)
    .orderBy("fingerprint")
    .forUpdate()
    .execute();
  return new Map(rows.map((row) => [row.fingerprint, row]));
}

/** A closing counts as a death does, so the same rules say who is told. @returns the alert, if one is due */
async function file(
  tx: Tx,
  incident: IncidentRow,
  gate: ClosedGate,
  { tell, now = new Date() }: FileGatesOptions,
): Promise<NewAlert | undefined> {
  const isNew = incident.gateClosedAt?.getTime() !== gate.closedAt.getTime();
  const isWorse = gate.code === AUTH_FAILED && incident.code !== AUTH_FAILED;
  if (!isNew && !isWorse) return undefined; // another process was first
  const tally =
    incident.deathCount === 0n
      ? EMPTY_TALLY
      : { ...incident, hasTicket: incident.ticketUrl !== null };
  const arrival = isNew ? { count: 1n, lastDiedAt: gate.closedAt } : { count: 0n, lastDiedAt: now };
  const absorbed = absorb(tally, arrival, now);
  const isActive = absorbed.state === "open" || absorbed.state === "ticketed";
  const kind = absorbed.alert ?? (isWorse && isActive ? "grown" : null);
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
      lastSeenAt: now,
      code: storableText(gate.code),
      title: storableText(normalizeMessage(gate.message)),
      remoteName: storableText(gate.name),
      gateClosedAt: gate.closedAt,
      gateOpenedAt: null,
    })
    .where("id", "=", incident.id)
    .execute();
  if (absorbed.updatesTicket) await tell.ticket(tx, incident.id);
  if (kind === null) return undefined;
  const { id: incidentId, queue } = incident;
  const alert = { id: uuidv7(), incidentId, queue, kind, deathCount: absorbed.deathCount };
  await recordAlert(tx, alert, tell);
  return alert;
}

/** People are told by whoever looks for what was resolved. One that is ignored stays so. */
async function resolveOpen(tx: Tx): Promise<void> {
  await sql`
    UPDATE incidents i SET gate_opened_at = now(), last_seen_at = now(),
      state = CASE WHEN i.state IN ('open', 'ticketed') THEN 'resolved' ELSE i.state END,
      resolved_at = CASE WHEN i.state IN ('open', 'ticketed') THEN now() ELSE i.resolved_at END
    FROM remotes r
    WHERE r.kind = i.remote_kind AND r.key = i.remote_key AND ${isOpen}
      AND i.gate_opened_at IS NULL`.execute(tx);
}

/** One incident for each remote, whatever it is closed for. */
const fingerprintOfRemote = ({ kind, key }: Remote): string =>
  createHash("sha256").update(`gate ${kind} ${key}`).digest("hex").slice(0, 32);
