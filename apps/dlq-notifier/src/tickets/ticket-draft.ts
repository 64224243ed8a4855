import type { IncidentStory } from "@ballast/database";
import {
  type Fact,
  factsOf,
  gateHeadline,
  incidentUrl,
  safe,
  sampleOf,
} from "../alerts/alert-message.ts";
import type { TicketComment } from "./ticket-system.ts";

/** A ticket before it is put into the form of a system. Nothing in it is private or secret. */
export interface TicketDraft {
  readonly marker: string;
  readonly summary: string;
  readonly title: string;
  readonly facts: readonly Fact[];
  readonly sample: string | null;
  readonly url: string | null;
}

/** GitHub takes 256 characters, Jira 255. */
const MAX_SUMMARY_LENGTH = 200;

export function ticketDraft(incident: IncidentStory, apiUrl: string | null): TicketDraft {
  const title = safe(incident.title);
  const what =
    incident.remoteKind === null
      ? `${incident.job} dies in ${incident.queue}`
      : gateHeadline(incident);
  return {
    marker: markerOf(incident),
    summary: `${safe(what)}: ${title}`.slice(0, MAX_SUMMARY_LENGTH),
    title,
    facts: factsOf(incident).filter(({ name }) => name !== "Ticket"),
    sample: sampleOf(incident),
    url: incidentUrl(apiUrl, incident.id),
  };
}

/** What is new since the ticket was told last; its marker is the same until that is noted. */
export function growthComment(incident: IncidentStory): TicketComment {
  const told = incident.ticketToldCount ?? 0n;
  const died = incident.deathCount.toLocaleString("en-GB");
  const whats = incident.remoteKind === null ? "deaths" : "closings of its gate";
  const versions = incident.workerVersions.map(safe).join(", ");
  return {
    marker: `${markerOf(incident)}-after-${told}`,
    text: [
      `It goes on: ${died} ${whats} by now, ${told.toLocaleString("en-GB")} when this ticket was last told.`,
      `Last seen ${incident.lastSeenAt.toISOString()}, ${incident.openLetters} letters wait for triage.`,
      ...(versions === "" ? [] : [`Worker versions: ${versions}.`]),
    ].join(" "),
  };
}

/**
 * A label that all these systems take: GitHub up to 50 characters. It names the incident and not its cause, or one
 * that comes back after its incident is gone would find that one's ticket, closed long ago.
 */
const markerOf = ({ id }: { id: string }): string => `ballast-${id}`;
