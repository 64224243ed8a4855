import type { Incident } from "@ballast/database";

/** A button, and what it would do if it were pressed now. */
export interface IncidentAction {
  readonly action: "ticket" | "resolve" | "ignore" | "reopen";
  readonly allowed: boolean;
  readonly explanation: string;
}

/** What an operator can do about an incident, before doing it. Pure. */
export function incidentActions({ state, ticketUrl, remoteKind }: Incident): IncidentAction[] {
  const isActive = state === "open" || state === "ticketed";
  return [
    {
      action: "ticket",
      allowed: true,
      explanation:
        ticketUrl === null
          ? "opens a ticket and links it here"
          : `adds a comment to ${ticketUrl} that says how far it has grown`,
    },
    state === "resolved"
      ? { action: "resolve", allowed: false, explanation: "it is resolved already" }
      : {
          action: "resolve",
          allowed: true,
          explanation:
            remoteKind === null
              ? "tells every channel that it is over; its letters stay as they are, and the next death opens it again"
              : "tells every channel that it is over; nothing is called for that, and the next time its gate closes opens it again",
        },
    state === "resolved"
      ? { action: "ignore", allowed: false, explanation: "it is resolved: reopen it first" }
      : {
          action: "ignore",
          allowed: true,
          explanation: "raises no alert until the time or the count that is given; letters go on",
        },
    isActive
      ? { action: "reopen", allowed: false, explanation: `it is ${state} as it is` }
      : { action: "reopen", allowed: true, explanation: "raises alerts again as it grows" },
  ];
}
