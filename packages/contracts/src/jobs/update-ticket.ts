import { z } from "zod";
import { defineJob } from "../job.ts";
import { deadLetter } from "../queues.ts";

/**
 * Bring an incident's ticket up to date: open it if there is none, else say how far it has grown.
 *
 * One ticket per incident: the ledger holds its address, and a lost answer is found again by the marker
 * in the ticket itself. Wishes that come meanwhile collapse into one comment.
 */
export const updateTicket = defineJob({
  queue: deadLetter,
  name: "update-ticket",
  version: 1,
  payload: z.object({ incidentId: z.uuid().toLowerCase() }),
  result: z.object({ url: z.string() }),
  timeoutMs: 30_000,
  giveUpAfterMs: 7 * 24 * 3_600_000,
  slot: ({ incidentId }) => incidentId,
  subject: ({ incidentId }) => `incident:${incidentId}`,
});
