import type { AlertChannel } from "@ballast/contracts";
import type { RemoteGuard } from "@ballast/jobs";
import type { Channel } from "./channel.ts";
import { Gate } from "./gate.ts";
import { type MailSettings, mail } from "./mail.ts";
import { type PagerDutySettings, pagerduty } from "./pagerduty.ts";
import { slack } from "./slack.ts";
import { teams } from "./teams.ts";
import { type WebhookSettings, webhook } from "./webhook.ts";

/** Those that are set are used. */
export interface ChannelSettings {
  readonly slack?: { readonly webhookUrl: string } | undefined;
  readonly teams?: { readonly workflowUrl: string } | undefined;
  readonly pagerduty?: PagerDutySettings | undefined;
  readonly mail?: MailSettings | undefined;
  readonly webhook?: WebhookSettings | undefined;
}

/** A channel behind its gate. */
export interface GatedChannel extends Channel {
  readonly gate: Gate;
}

export type Channels = ReadonlyMap<AlertChannel, GatedChannel>;

/**
 * Nothing is opened yet: a channel that is down keeps nobody from starting.
 *
 * @param guardOf the guard of a channel, by its name
 */
export function openChannels(
  settings: ChannelSettings,
  guardOf: (name: string) => RemoteGuard,
): Channels {
  const used: Channel[] = [];
  if (settings.slack) used.push(slack(settings.slack.webhookUrl));
  if (settings.teams) used.push(teams(settings.teams.workflowUrl));
  if (settings.pagerduty) used.push(pagerduty(settings.pagerduty));
  if (settings.mail) used.push(mail(settings.mail));
  if (settings.webhook) used.push(webhook(settings.webhook));
  return new Map(
    used.map((channel) => [
      channel.name,
      {
        ...channel,
        gate: new Gate({ name: `channel ${channel.name}`, guard: guardOf(channel.name) }),
      },
    ]),
  );
}
