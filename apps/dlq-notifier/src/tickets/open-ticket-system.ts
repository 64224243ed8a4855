import type { RemoteGuard } from "@ballast/jobs";
import { Gate } from "../channels/gate.ts";
import { type GitHubSettings, github } from "./github.ts";
import { type JiraSettings, jira } from "./jira.ts";
import type { TicketSystem } from "./ticket-system.ts";
import { type TicketWebhookSettings, ticketWebhook } from "./webhook.ts";

/** One of these, or none. */
export interface TicketSettings {
  readonly github?: GitHubSettings | undefined;
  readonly jira?: JiraSettings | undefined;
  readonly webhook?: TicketWebhookSettings | undefined;
}

export type GatedTicketSystem = TicketSystem & { readonly gate: Gate };

export function openTicketSystem(
  settings: TicketSettings,
  guardOf: (name: string) => RemoteGuard,
): GatedTicketSystem | undefined {
  const system =
    (settings.github && github(settings.github)) ??
    (settings.jira && jira(settings.jira)) ??
    (settings.webhook && ticketWebhook(settings.webhook));
  if (system === undefined) return undefined;
  const guard = guardOf(`ticket-${system.name}`);
  return { ...system, gate: new Gate({ name: `ticket system ${system.name}`, guard }) };
}
