import { sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import type { CompanyScope } from "../scope.ts";
import { uuidv7 } from "../uuidv7.ts";
import type { ScheduleRule } from "./rules.ts";

export interface Schedule extends ScheduleRule {
  readonly nextAt: Date;
}

export interface ScheduleTick {
  /** The time it was meant for; `null` if a person asked for it out of turn. */
  readonly dueAt: Date | null;
  readonly askedAt: Date;
  readonly requestedBy: string;
  readonly requestId: string;
}

/** Ticks a schedule remembers. */
const REMEMBERED = 100;

/** Schedules whose time has come, those that are latest first. */
export async function dueSchedules(db: Queryable, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom("schedules")
    .select("id")
    .where("nextAt", "<=", sql<Date>`now()`)
    .orderBy("nextAt")
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** For how long the schedule that waits longest should have been asked for, in seconds; 0 if none should. */
export async function longestOverdueSeconds(db: Queryable): Promise<number> {
  const { rows } = await sql<{ seconds: number }>`
    SELECT greatest(0, coalesce(max(extract(epoch FROM now() - next_at)), 0))::float8 AS seconds
    FROM schedules`.execute(db);
  return rows[0]?.seconds ?? 0;
}

/** Take a schedule that is due, with the time by the database's clock; `undefined` if it is not, or another has it. */
export const takeDueSchedule = (
  tx: Tx,
  id: string,
): Promise<(Schedule & { readonly now: Date }) | undefined> =>
  tx
    .selectFrom("schedules")
    .selectAll()
    .select(sql<Date>`now()`.as("now"))
    .where("id", "=", id)
    .where("nextAt", "<=", sql<Date>`now()`)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();

/** Take any schedule in scope. */
export const lockSchedule = (
  tx: Tx,
  scope: CompanyScope,
  id: string,
): Promise<Schedule | undefined> =>
  visible(tx, scope).where("id", "=", id).forUpdate().executeTakeFirst();

export const setNextTick = async (tx: Tx, id: string, nextAt: Date): Promise<void> => {
  await tx.updateTable("schedules").set({ nextAt }).where("id", "=", id).execute();
};

/** Write down what a schedule asked for; the oldest ticks are forgotten. */
export async function recordTick(
  tx: Tx,
  scheduleId: string,
  tick: Omit<ScheduleTick, "askedAt">,
): Promise<void> {
  await tx
    .insertInto("scheduleTicks")
    .values({ ...tick, id: uuidv7(), scheduleId })
    .execute();
  await sql`
    DELETE FROM schedule_ticks WHERE id IN (
      SELECT id FROM schedule_ticks WHERE schedule_id = ${scheduleId}
      ORDER BY asked_at DESC, id DESC OFFSET ${REMEMBERED})`.execute(tx);
}

/** Schedules in scope by id. Those of no company are for a caller of all companies alone. */
export const listSchedules = (
  db: Queryable,
  scope: CompanyScope,
  { after = "", limit = 50 }: { readonly after?: string; readonly limit?: number } = {},
): Promise<Schedule[]> =>
  visible(db, scope).where("id", ">", after).orderBy("id").limit(limit).execute();

export const findSchedule = (
  db: Queryable,
  scope: CompanyScope,
  id: string,
): Promise<Schedule | undefined> => visible(db, scope).where("id", "=", id).executeTakeFirst();

/** The last ticks of each schedule, the newest first. */
export async function lastTicks(
  db: Queryable,
  scheduleIds: readonly string[],
  limit: number,
): Promise<ReadonlyMap<string, ScheduleTick[]>> {
  const { rows } = await sql<ScheduleTick & { scheduleId: string }>`
    SELECT t.schedule_id, t.due_at, t.asked_at, t.requested_by, t.request_id
    FROM unnest(${scheduleIds}::text[]) AS s(id) CROSS JOIN LATERAL (
      SELECT * FROM schedule_ticks WHERE schedule_id = s.id ORDER BY asked_at DESC, id DESC LIMIT ${limit}) t
    ORDER BY t.asked_at DESC, t.id DESC`.execute(db);
  const ticks = new Map<string, ScheduleTick[]>(scheduleIds.map((id) => [id, []]));
  for (const { scheduleId, ...tick } of rows) ticks.get(scheduleId)?.push(tick);
  return ticks;
}

const visible = (db: Queryable, scope: CompanyScope) =>
  db
    .selectFrom("schedules")
    .selectAll()
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope));
