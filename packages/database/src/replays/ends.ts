import { sql } from "kysely";
import type { Queryable } from "../database.ts";
import { type Death, fingerprintOf } from "../incidents/fingerprint.ts";
import { hidePrivate, type PrivateFieldsOf } from "../incidents/private-values.ts";

/** What became of replayed letters. */
export interface Ends {
  readonly replayed: number;
  /** Of the replayed: those whose new run is over, and of a dead one it is known what it died of. */
  readonly ended: number;
  /** Of the ended: those that died of the same cause. */
  readonly diedAgain: number;
}

/** What became of all letters of a replay, counted now. */
export interface ReplayCounts extends Ends {
  readonly letters: number;
  readonly pending: number;
  readonly skipped: number;
  /** Of the replayed: those whose work a run does that was there already. */
  readonly joined: number;
}

export async function countReplay(db: Queryable, id: string): Promise<ReplayCounts> {
  const { rows } = await sql<ReplayCounts>`
    SELECT count(*)::int AS letters,
      count(*) FILTER (WHERE p.state = 'pending')::int AS pending,
      count(*) FILTER (WHERE p.state = 'skipped')::int AS skipped,
      count(*) FILTER (WHERE p.joined)::int AS joined, ${ends}
    FROM ${lettersOfReplay} WHERE p.replay_id = ${id}`.execute(db);
  return first(rows, id);
}

/** The same of those that were replayed since it was begun or resumed, by which it is judged. */
export async function judgeReplay(
  db: Queryable,
  id: string,
  privateFieldsOf: PrivateFieldsOf,
): Promise<Ends> {
  await compareDeaths(db, id, privateFieldsOf);
  const { rows } = await sql<Ends>`
    SELECT ${ends} FROM ${lettersOfReplay} JOIN replays b ON b.id = p.replay_id
    WHERE p.replay_id = ${id} AND p.done_at >= b.judged_from`.execute(db);
  return first(rows, id);
}

const lettersOfReplay = sql`replay_letters p
  LEFT JOIN job_runs r ON r.id = p.new_run_id
  LEFT JOIN dead_letters died ON died.run_id = p.run_id
  LEFT JOIN dead_letters again ON again.run_id = p.new_run_id`;

/** `null` while nobody has said what one of the two died of. */
const isSameCause = sql`coalesce(p.died_again, again.fingerprint = died.fingerprint)`;

/** A run that is not among the live ones has been over for so long that it moved. */
const ends = sql`
  count(*) FILTER (WHERE p.state = 'replayed')::int AS replayed,
  count(*) FILTER (WHERE p.state = 'replayed'
    AND coalesce(r.state NOT IN ('waiting', 'started'), true)
    AND (again.run_id IS NULL OR ${isSameCause} IS NOT NULL))::int AS ended,
  count(*) FILTER (WHERE ${isSameCause})::int AS died_again`;

/** Few enough that their stacks fit into memory with ease. */
const PAGE = 500;

interface Deaths {
  readonly runId: string;
  readonly queue: string;
  readonly before: Died | null;
  readonly after: Died;
}

type Died = Death & { readonly job: string; readonly payload: unknown };

/**
 * Say of those that died again whether it was of the same cause, where the notifier has not filed both
 * yet: a replay must stop itself also while the notifier is down.
 */
async function compareDeaths(
  db: Queryable,
  id: string,
  privateFieldsOf: PrivateFieldsOf,
): Promise<void> {
  for (;;) {
    const { rows } = await sql<Deaths>`
      SELECT p.run_id, again.queue, to_jsonb(died) AS before, to_jsonb(again) AS after
      FROM ${lettersOfReplay}
      WHERE p.replay_id = ${id} AND again.run_id IS NOT NULL AND ${isSameCause} IS NULL
      LIMIT ${PAGE}`.execute(db);
    if (rows.length === 0) return;
    const causeOf = (queue: string, { job, payload, code, message, stack }: Died) =>
      fingerprintOf({
        code,
        message: hidePrivate(message, payload, privateFieldsOf(queue, job)),
        stack,
      }).fingerprint;
    const isSame = rows.map(
      ({ queue, before, after }) =>
        before !== null && causeOf(queue, before) === causeOf(queue, after),
    );
    await sql`
      UPDATE replay_letters p SET died_again = same.is_same
      FROM unnest(${rows.map(({ runId }) => runId)}::uuid[], ${isSame}::boolean[]) AS same(run_id, is_same)
      WHERE p.replay_id = ${id} AND p.run_id = same.run_id`.execute(db);
    if (rows.length < PAGE) return;
  }
}

function first<T>(rows: readonly T[], id: string): T {
  const [row] = rows;
  if (row === undefined) throw new Error(`no replay ${id}`);
  return row;
}
