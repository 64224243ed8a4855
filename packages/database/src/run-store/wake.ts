import { BULK_PRIORITY } from "@ballast/contracts";
import { sql } from "kysely";
import type { Queryable } from "../database.ts";

/** Notified when a run may have become ready for the engine. */
export const DISPATCH_CHANNEL = "ballast_dispatch";

/** The end of run `r` lets another begin: the next of its slot, or more of the bulk work. */
export const makesRoom = sql`(r.slot IS NOT NULL OR r.priority >= ${sql.lit(BULK_PRIORITY)})`;

/** Wake every dispatcher once the transaction commits; many calls in one transaction wake once. */
export async function notifyDispatchers(db: Queryable): Promise<void> {
  await sql`SELECT pg_notify(${DISPATCH_CHANNEL}, '')`.execute(db);
}
