import { isDeepStrictEqual } from "node:util";
import { sql } from "kysely";
import type { Database, Queryable } from "../database.ts";
import { storableJson } from "../storable.ts";

/** What is asked for, and when: five fields of cron, told in a time zone. */
export interface ScheduleRule {
  readonly id: string;
  readonly companyId: string | null;
  readonly queue: string;
  readonly job: string;
  readonly payload: Record<string, unknown>;
  readonly cron: string;
  readonly timeZone: string;
}

/** When a rule that is new, or has other times now, is due for the first time. */
export type FirstTick = (rule: ScheduleRule, now: Date) => Date;

/**
 * Make the schedules those of `rules`. One whose times stay the same keeps its next tick, however often this is
 * called; any number of processes may at once.
 *
 * @param jobs those that the rules are about; schedules of others, which a newer release made, are left alone
 * @returns whether anything changed
 */
export const keepSchedules = (
  database: Pick<Database, "transaction">,
  rules: readonly ScheduleRule[],
  jobs: readonly string[],
  firstTick: FirstTick,
): Promise<boolean> =>
  database.transaction(async (tx) => {
    const kept = await tx
      .selectFrom("schedules")
      .selectAll()
      .select(sql<Date>`now()`.as("now"))
      .execute();
    const now = kept[0]?.now ?? new Date();
    const before = new Map(kept.map((schedule) => [schedule.id, schedule]));
    const wanted = new Set(rules.map(({ id }) => id));
    const gone = kept
      .filter(({ id, job }) => jobs.includes(job) && !wanted.has(id))
      .map(({ id }) => id);
    const changed = rules.filter((rule) => !isSame(before.get(rule.id), rule));
    if (gone.length > 0) await tx.deleteFrom("schedules").where("id", "in", gone).execute();
    for (const rule of changed) {
      const was = before.get(rule.id);
      const hasSameTimes = was?.cron === rule.cron && was.timeZone === rule.timeZone;
      const values = {
        ...rule,
        payload: storableJson(rule.payload),
        nextAt: was !== undefined && hasSameTimes ? was.nextAt : firstTick(rule, now),
      };
      await tx
        .insertInto("schedules")
        .values(values)
        .onConflict((conflict) => conflict.column("id").doUpdateSet(values))
        .execute();
    }
    return gone.length + changed.length > 0;
  });

const isSame = (was: ScheduleRule | undefined, rule: ScheduleRule): boolean =>
  was !== undefined &&
  was.companyId === rule.companyId &&
  was.queue === rule.queue &&
  was.job === rule.job &&
  was.cron === rule.cron &&
  was.timeZone === rule.timeZone &&
  isDeepStrictEqual(was.payload, rule.payload);

/** When accounts are to be compared with their marketplaces. */
export async function reconcileTimes(
  db: Queryable,
): Promise<{ accountId: string; companyId: string; cron: string; timeZone: string }[]> {
  const { rows } = await sql<{
    accountId: string;
    companyId: string;
    cron: string;
    timeZone: string;
  }>`
    SELECT id AS account_id, company_id, reconcile_cron AS cron, reconcile_time_zone AS time_zone
    FROM marketplace_accounts WHERE reconcile_cron IS NOT NULL`.execute(db);
  return rows;
}
