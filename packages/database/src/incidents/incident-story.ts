import type { Selectable } from "kysely";
import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import type { Schema } from "../schema.ts";
import { hidePrivate, type PrivateFieldsOf, withoutPrivate } from "./private-values.ts";

/** An incident as people are told of it: without anything that is marked private. */
export interface IncidentStory extends Selectable<Schema["incidents"]> {
  readonly openLetters: number;
  /** Business things that died in it, the latest first. */
  readonly subjects: readonly string[];
  readonly subjectCount: number;
  /** The latest death; `null` once its letters outlived their time. */
  readonly latest: {
    readonly runId: string;
    readonly version: number;
    readonly payload: unknown;
    readonly message: string | null;
    readonly attemptsMade: number;
    readonly diedAt: Date;
    readonly traceparent: string | null;
  } | null;
}

const SUBJECTS = 5;
/** Subjects are counted among this many of the latest letters, so that a storm does not slow its own alert. */
const COUNTED_LETTERS = 10_000;

/** @returns `undefined` if there is no such incident */
export async function incidentStory(
  db: Queryable,
  incidentId: string,
  privateFieldsOf: PrivateFieldsOf,
): Promise<IncidentStory | undefined> {
  const incident = await db
    .selectFrom("incidents")
    .selectAll()
    .where("id", "=", incidentId)
    .executeTakeFirst();
  if (incident === undefined) return undefined;
  const latest = await db
    .selectFrom("deadLetters")
    .select(["runId", "version", "payload", "message", "attemptsMade", "diedAt", "traceparent"])
    .where("incidentId", "=", incidentId)
    .orderBy("diedAt", "desc")
    .orderBy("runId", "desc")
    .limit(1)
    .executeTakeFirst();
  const { rows } = await sql<{
    openLetters: number;
    subjects: string[] | null;
    subjectCount: number;
  }>`
    WITH letters AS (
      SELECT subject, state, died_at FROM dead_letters WHERE incident_id = ${incidentId}
      ORDER BY died_at DESC, run_id DESC LIMIT ${COUNTED_LETTERS}
    ), subjects AS (
      SELECT subject, max(died_at) AS died_at FROM letters
      WHERE subject IS NOT NULL GROUP BY subject
    )
    SELECT (SELECT count(*)::int FROM letters WHERE state = 'open') AS open_letters,
           (SELECT count(*)::int FROM subjects) AS subject_count,
           (SELECT array_agg(s.subject ORDER BY s.died_at DESC) FROM
             (SELECT * FROM subjects ORDER BY died_at DESC LIMIT ${SUBJECTS}) s) AS subjects`.execute(
    db,
  );
  const counted = rows[0];
  const fields = privateFieldsOf(incident.queue, incident.job);
  return {
    ...incident,
    openLetters: counted?.openLetters ?? 0,
    subjects: (counted?.subjects ?? []).map((one) => hidePrivate(one, latest?.payload, fields)),
    subjectCount: counted?.subjectCount ?? 0,
    latest:
      latest === undefined
        ? null
        : {
            ...latest,
            payload: withoutPrivate(latest.payload, fields),
            message: hidePrivate(latest.message, latest.payload, fields),
          },
  };
}
