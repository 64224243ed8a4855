import { updateTicket } from "@ballast/contracts";
import {
  incidentStory,
  type PrivateFieldsOf,
  type Queryable,
  recordTicket,
  recordTicketTold,
} from "@ballast/database";
import { type Handler, handle, PermanentError } from "@ballast/jobs";
import type { GatedTicketSystem } from "../tickets/open-ticket-system.ts";
import { growthComment, ticketDraft } from "../tickets/ticket-draft.ts";

export interface UpdateTicketDeps {
  readonly db: Queryable;
  readonly tickets: GatedTicketSystem | undefined;
  readonly privateFieldsOf: PrivateFieldsOf;
  readonly apiUrl: string | null;
}

/**
 * Open an incident's ticket, or say in it how far the incident has grown.
 *
 * One ticket per incident: its slot lets one run at a time, the incident holds the address, and one whose
 * answer was lost is found by its marker before another is opened. Comments are looked for likewise.
 */
export function updateTicketHandler(deps: UpdateTicketDeps): Handler {
  const { db, tickets, privateFieldsOf, apiUrl } = deps;

  return handle(updateTicket, async ({ payload, signal, lease, log }) => {
    const incident = await incidentStory(db, payload.incidentId, privateFieldsOf);
    if (incident === undefined)
      throw new PermanentError("incident_not_found", `no incident ${payload.incidentId}`);
    const { ticketUrl, ticketId, ticketSystem } = incident;
    if (tickets === undefined)
      throw new PermanentError(
        "tickets_not_configured",
        "no ticket system has settings: set the TICKET_… variables of dlq-notifier, then ask again",
      );

    if (ticketUrl === null || ticketId === null) {
      const draft = ticketDraft(incident, apiUrl);
      const ticket = await lease.step(async (hard) => {
        const until = AbortSignal.any([signal, hard]);
        const opened = await tickets.gate.through(
          async () =>
            (await tickets.find(draft.marker, until)) ?? (await tickets.open(draft, until)),
          until,
        );
        const address = { system: tickets.name, ...opened };
        await recordTicket(db, incident.id, address, incident.deathCount);
        return opened;
      });
      log.info({ incidentId: incident.id, ticket: ticket.url }, "ticket opened");
      return { url: ticket.url };
    }

    const hasNews = incident.deathCount > (incident.ticketToldCount ?? 0n);
    // One that was opened in another system stays there, untold.
    if (hasNews && ticketSystem === tickets.name) {
      const ticket = { id: ticketId, url: ticketUrl };
      const comment = growthComment(incident);
      await lease.step(async (hard) => {
        const until = AbortSignal.any([signal, hard]);
        await tickets.gate.through(async () => {
          if (!(await tickets.hasComment(ticket, comment.marker, until)))
            await tickets.comment(ticket, comment, until);
        }, until);
        await recordTicketTold(db, incident.id, incident.deathCount);
      });
      log.info({ incidentId: incident.id, ticket: ticketUrl }, "ticket brought up to date");
    }
    return { url: ticketUrl };
  });
}
