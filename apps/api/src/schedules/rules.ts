import { reconcileStock } from "@ballast/contracts";
import { type Queryable, reconcileTimes, type ScheduleRule } from "@ballast/database";

/** Jobs that are asked for by the clock. */
export const scheduledJobs: readonly string[] = [reconcileStock.name];

/** Everything that is asked for by the clock, as settings have it now. */
export async function scheduleRules(db: Queryable): Promise<ScheduleRule[]> {
  const accounts = await reconcileTimes(db);
  return accounts.map(({ accountId, companyId, cron, timeZone }) => ({
    id: `${reconcileStock.name}:${accountId}`,
    companyId,
    queue: reconcileStock.queue.name,
    job: reconcileStock.name,
    payload: { accountId },
    cron,
    timeZone,
  }));
}
