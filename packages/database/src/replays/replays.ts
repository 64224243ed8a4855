import { type Selectable, sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import type { ReplayState, Schema } from "../schema.ts";
import type { CompanyScope } from "../scope.ts";
import { storableJson, storableText } from "../storable.ts";
import { uuidv7 } from "../uuidv7.ts";
import type { ReplayFilter } from "./letters.ts";

/** A bulk replay as it was asked for, and where it stands. */
export type Replay = Readonly<Selectable<Schema["replays"]>>;

export interface NewReplay {
  readonly filter: ReplayFilter;
  readonly companyId: string | null;
  readonly ratePerSecond: number;
  readonly canaryCount: number;
  readonly stopShare: number;
  readonly reason: string;
  readonly requestedBy: string;
}

/**
 * Write a replay down with the letters it is about, as they are now.
 *
 * @throws SQLSTATE 23505 on `replays_one_per_queue` if its company has one of the same queue under way
 */
export async function createReplay(tx: Tx, replay: NewReplay, letterIds: readonly string[]) {
  const id = uuidv7();
  const { filter, reason, ...values } = replay;
  await tx
    .insertInto("replays")
    .values({
      ...values,
      id,
      queue: filter.queue,
      filter: storableJson(filter),
      reason: storableText(reason),
    })
    .execute();
  await sql`
    INSERT INTO replay_letters (replay_id, run_id, position)
    SELECT ${id}, run_id, position FROM unnest(${[...letterIds]}::uuid[]) WITH ORDINALITY AS l(run_id, position)`.execute(
    tx,
  );
  return id;
}

const inScope = (db: Queryable, scope: CompanyScope) =>
  db
    .selectFrom("replays")
    .selectAll()
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope));

export const findReplay = (
  db: Queryable,
  scope: CompanyScope,
  id: string,
): Promise<Replay | undefined> => inScope(db, scope).where("id", "=", id).executeTakeFirst();

/** The one of a queue that a company has under way; `null`: the one of all companies. */
export const findActiveReplay = (
  db: Queryable,
  queue: string,
  companyId: string | null,
): Promise<Replay | undefined> =>
  inScope(db, "all")
    .where("queue", "=", queue)
    .where("companyId", "is not distinct from", companyId)
    .where("state", "in", [...UNDER_WAY])
    .executeTakeFirst();

/** In scope, newest first. */
export const listReplays = (db: Queryable, scope: CompanyScope, limit = 50): Promise<Replay[]> =>
  inScope(db, scope).orderBy("createdAt", "desc").orderBy("id", "desc").limit(limit).execute();

/** Why letters were left out, with how many and one of each. */
export async function skippedLetters(
  db: Queryable,
  id: string,
): Promise<{ code: string; count: number; letterId: string; message: string }[]> {
  const { rows } = await sql<{ code: string; count: number; letterId: string; message: string }>`
    SELECT skip_code AS code, count(*)::int AS count, min(run_id::text) AS letter_id,
           min(skip_message) AS message
    FROM replay_letters WHERE replay_id = ${id} AND state = 'skipped'
    GROUP BY skip_code ORDER BY 2 DESC`.execute(db);
  return rows;
}

/** Locked until `tx` ends, so that neither its driver nor another operator comes between. */
export const lockReplay = (tx: Tx, scope: CompanyScope, id: string): Promise<Replay | undefined> =>
  inScope(tx, scope).where("id", "=", id).forUpdate().executeTakeFirst();

/** Those that a driver drives. */
export const UNDER_WAY: readonly ReplayState[] = ["canary", "running"];

/**
 * Move a replay on, if it is still in one of the states `from`. Whoever drives it notices at its next
 * letter.
 *
 * @throws SQLSTATE 23505 on `replays_one_per_queue` if it is resumed beside another of its queue and company
 */
export async function moveReplay(
  db: Queryable,
  id: string,
  from: readonly ReplayState[],
  state: ReplayState,
  stopReason: string | null = null,
): Promise<void> {
  const isOver = state === "stopped" || state === "cancelled" || state === "completed";
  await db
    .updateTable("replays")
    .set({
      state,
      stopReason,
      finishedAt: isOver ? sql<Date>`now()` : null,
      pacedFrom: null,
      pacedCount: 0,
      ...(isOver || from.includes("canary") ? {} : { judgedFrom: sql<Date>`now()` }),
      ...(isOver ? { driver: null, drivenUntil: null } : {}),
    })
    .where("id", "=", id)
    .where("state", "in", [...from])
    .execute();
}
