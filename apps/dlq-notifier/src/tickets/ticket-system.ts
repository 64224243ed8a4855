import type { TicketDraft } from "./ticket-draft.ts";

export interface Ticket {
  /** As the system names it, e.g. `42` or `OPS-7`. */
  readonly id: string;
  /** Where people read it. */
  readonly url: string;
}

/** Something to add to a ticket; `marker` stands in it, so that it can be found again. */
export interface TicketComment {
  readonly marker: string;
  readonly text: string;
}

/** Where tickets live. None of these is idempotent by itself, so whoever opens or comments looks first. */
export interface TicketSystem {
  readonly name: "github" | "jira" | "webhook";
  /** The ticket that bears this marker, be it closed by now, if one was opened whose answer was lost. */
  find(marker: string, signal: AbortSignal): Promise<Ticket | undefined>;
  open(draft: TicketDraft, signal: AbortSignal): Promise<Ticket>;
  hasComment(ticket: Ticket, marker: string, signal: AbortSignal): Promise<boolean>;
  comment(ticket: Ticket, comment: TicketComment, signal: AbortSignal): Promise<void>;
}

/** What failures of a ticket system are called. */
export const TICKET_CODES = {
  down: "ticket_system_down",
  limited: "ticket_system_limited",
  refused: "ticket_system_refused",
  rejected: "ticket_rejected",
};
