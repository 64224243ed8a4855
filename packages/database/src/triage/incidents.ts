import { type Selectable, sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import type { AlertKind, IncidentState, LetterState, Schema } from "../schema.ts";

/** Deaths of one queue that have their cause in common, of whatever company. */
export type Incident = Readonly<Selectable<Schema["incidents"]>>;

export interface IncidentFilter {
  readonly queue?: string;
  readonly state?: IncidentState;
  /** At most this many; default 50. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** Incidents, the one seen last first. `nextCursor` is `null` on the last page. */
export async function listIncidents(
  db: Queryable,
  { queue, state, limit = 50, cursor }: IncidentFilter = {},
): Promise<{ incidents: Incident[]; nextCursor: string | null }> {
  let query = db.selectFrom("incidents").selectAll();
  if (queue !== undefined) query = query.where("queue", "=", queue);
  if (state !== undefined) query = query.where("state", "=", state);
  if (cursor !== undefined)
    query = query.where(
      sql<boolean>`(last_seen_at, id) < (SELECT last_seen_at, id FROM incidents WHERE id = ${cursor})`,
    );
  const rows = await query
    .orderBy("lastSeenAt", "desc")
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
  const incidents = rows.slice(0, limit);
  return { incidents, nextCursor: rows.length > limit ? (incidents.at(-1)?.id ?? null) : null };
}

export const findIncident = async (db: Queryable, id: string): Promise<Incident | undefined> =>
  await db.selectFrom("incidents").selectAll().where("id", "=", id).executeTakeFirst();

/** The same, locked until `tx` ends: of two who decide about it, the second sees what the first did. */
export const lockIncident = async (tx: Tx, id: string): Promise<Incident | undefined> =>
  await tx.selectFrom("incidents").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();

/** How many letters an incident has, and what they are about. */
export interface IncidentExtent {
  readonly letters: Readonly<Record<LetterState, number>>;
  /** The latest first. */
  readonly subjects: readonly string[];
  readonly subjectCount: number;
}

const NAMED_SUBJECTS = 20;
/** Counted among this many of the latest letters, so that a storm does not slow down who looks into it. */
const COUNTED_LETTERS = 20_000;

export async function extentOf(db: Queryable, incidentId: string): Promise<IncidentExtent> {
  const { rows } = await sql<Record<LetterState | "subjectCount", number> & { subjects: string[] }>`
    WITH letters AS (
      SELECT subject, state, died_at FROM dead_letters WHERE incident_id = ${incidentId}
      ORDER BY died_at DESC, run_id DESC LIMIT ${COUNTED_LETTERS}
    ), subjects AS (
      SELECT subject, max(died_at) AS died_at FROM letters WHERE subject IS NOT NULL GROUP BY subject
    )
    SELECT count(*) FILTER (WHERE state = 'open')::int AS open,
           count(*) FILTER (WHERE state = 'replayed')::int AS replayed,
           count(*) FILTER (WHERE state = 'discarded')::int AS discarded,
           (SELECT count(*)::int FROM subjects) AS subject_count,
           coalesce((SELECT array_agg(s.subject ORDER BY s.died_at DESC) FROM (
             SELECT * FROM subjects ORDER BY died_at DESC LIMIT ${NAMED_SUBJECTS}) s), '{}') AS subjects
    FROM letters`.execute(db);
  const { subjects = [], subjectCount = 0, open = 0, replayed = 0, discarded = 0 } = rows[0] ?? {};
  return { letters: { open, replayed, discarded }, subjects, subjectCount };
}

interface ToldChannel {
  readonly channel: string;
  readonly sentAt: Date;
}

export interface ToldAlert {
  readonly alertId: string;
  readonly kind: AlertKind;
  readonly deathCount: bigint;
  readonly createdAt: Date;
  /** The channels that took it; the others are still asked, or there are none. */
  readonly toldTo: readonly ToldChannel[];
  /** The channels that were not told, since a later alert of the incident had made this one untrue. */
  readonly overtakenOn: readonly ToldChannel[];
}

/** What was to be told about an incident, and who was; the latest first. */
export async function alertsOf(db: Queryable, incidentId: string): Promise<ToldAlert[]> {
  const alerts = await db
    .selectFrom("alerts")
    .select(["id as alertId", "kind", "deathCount", "createdAt"])
    .where("incidentId", "=", incidentId)
    .orderBy("ordinal", "desc")
    .limit(50)
    .execute();
  if (alerts.length === 0) return [];
  const ids = alerts.map(({ alertId }) => alertId);
  const deliveries = await db
    .selectFrom("alertDeliveries")
    .select(["alertId", "channel", "sentAt", "overtaken"])
    .where("alertId", "in", ids)
    .orderBy("sentAt")
    .execute();
  return alerts.map((alert) => {
    const ofAlert = deliveries.filter(({ alertId }) => alertId === alert.alertId);
    return {
      ...alert,
      toldTo: ofAlert.filter(({ overtaken }) => !overtaken),
      overtakenOn: ofAlert.filter(({ overtaken }) => overtaken),
    };
  });
}

export type IncidentDecision =
  /** People are told by the notifier, which looks for what was resolved. */
  | { readonly state: "resolved" }
  /** Until that time, or until there are more deaths than that, whichever comes first. */
  | { readonly state: "ignored"; readonly until: Date | null; readonly above: number | null }
  | { readonly state: "reopened" };

/** Write down what was decided about an incident that {@link lockIncident} gave. */
export async function decideIncident(
  tx: Tx,
  incident: Incident,
  decision: IncidentDecision,
): Promise<Incident> {
  const isIgnored = decision.state === "ignored";
  return await tx
    .updateTable("incidents")
    .set({
      state:
        decision.state === "reopened"
          ? incident.ticketUrl === null
            ? "open"
            : "ticketed"
          : decision.state,
      resolvedAt: decision.state === "resolved" ? sql<Date>`now()` : null,
      ignoredUntil: isIgnored ? decision.until : null,
      ignoredAbove: isIgnored && decision.above !== null ? BigInt(decision.above) : null,
    })
    .where("id", "=", incident.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}
