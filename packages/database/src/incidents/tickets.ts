import { sql } from "kysely";
import type { Queryable } from "../database.ts";

export interface TicketAddress {
  readonly system: string;
  readonly id: string;
  readonly url: string;
}

/** Link an incident with its ticket. @returns `false` if it has one already, which stays */
export async function recordTicket(
  db: Queryable,
  incidentId: string,
  ticket: TicketAddress,
  toldCount: bigint,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("incidents")
    .set({
      ticketSystem: ticket.system,
      ticketId: ticket.id,
      ticketUrl: ticket.url,
      ticketToldCount: toldCount,
      state: sql`CASE WHEN state = 'open' THEN 'ticketed' ELSE state END`,
    })
    .where("id", "=", incidentId)
    .where("ticketUrl", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** The ticket shows this many deaths now. */
export async function recordTicketTold(
  db: Queryable,
  incidentId: string,
  toldCount: bigint,
): Promise<void> {
  await db
    .updateTable("incidents")
    .set({ ticketToldCount: sql<bigint>`greatest(ticket_told_count, ${toldCount})` })
    .where("id", "=", incidentId)
    .execute();
}
