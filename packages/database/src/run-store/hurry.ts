import { BULK_PRIORITY } from "@ballast/contracts";
import { sql } from "kysely";
import type { Tx } from "../database.ts";
import { notifyDispatchers } from "./wake.ts";

/** Somebody waits for what bulk work is about: put it among the urgent, also where the engine has it already. */
export async function hurry(tx: Tx, companyId: string, subject: string): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable("jobRuns")
    .set({ priority: 0, changeNo: sql<bigint>`nextval('job_run_changes')` })
    .where("companyId", "=", companyId)
    .where("subject", "=", subject)
    .where("state", "=", "waiting")
    .where("priority", ">=", BULK_PRIORITY)
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await notifyDispatchers(tx);
}
