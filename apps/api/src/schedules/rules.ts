import { reconcileStock, remindDebtors } from "@ballast/contracts";
import { type Queryable, reconcileTimes, type ScheduleRule } from "@ballast/database";

/** Jobs that are asked for by the clock. */
export const scheduledJobs: readonly string[] = [reconcileStock.name, remindDebtors.name];

/** Before offices open, wherever a company is: what is found is asked for at its own hour. */
const LOOK_FOR_DEBTORS: ScheduleRule = {
  id: remindDebtors.name,
  companyId: null,
  queue: remindDebtors.queue.name,
  job: remindDebtors.name,
  payload: { days: 2 },
  cron: "15 3 * * *",
  timeZone: "UTC",
};

/** Everything that is asked for by the clock, as settings have it now. */
export async function scheduleRules(db: Queryable): Promise<ScheduleRule[]> {
  const accounts = await reconcileTimes(db);
  const comparisons = accounts.map(({ accountId, companyId, cron, timeZone }) => ({
    id: `${reconcileStock.name}:${accountId}`,
    companyId,
    queue: reconcileStock.queue.name,
    job: reconcileStock.name,
    payload: { accountId },
    cron,
    timeZone,
  }));
  return [LOOK_FOR_DEBTORS, ...comparisons];
}
