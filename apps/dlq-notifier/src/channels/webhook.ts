import type { AlertMessage } from "../alerts/alert-message.ts";
import { call } from "../http/call.ts";
import { signed } from "../http/signature.ts";
import { type Channel, channelService } from "./channel.ts";

const WEBHOOK = channelService("the alert webhook");

export interface WebhookSettings {
  readonly url: string;
  readonly secret: string;
}

/** JSON to an address of the user's own, signed; `Ballast-Delivery` is the same if it comes twice. */
export const webhook = ({ url, secret }: WebhookSettings): Channel => ({
  name: "webhook",
  async send(message, signal) {
    const body = JSON.stringify(webhookBody(message));
    const headers = { ...signed(secret, body), "Ballast-Delivery": message.alertId };
    const { status } = await call(WEBHOOK, { method: "POST", url, headers, body }, signal);
    return `answered ${status}`;
  },
});

const webhookBody = (message: AlertMessage): object => ({
  type: `incident.${message.kind}`,
  alertId: message.alertId,
  at: message.at.toISOString(),
  incident: {
    id: message.incidentId,
    url: message.url,
    key: message.dedupKey,
    queue: message.queue,
    job: message.job,
    code: message.code,
    title: message.title,
    deathCount: message.deathCount,
    severity: message.severity,
  },
  headline: message.headline,
  facts: Object.fromEntries(message.facts.map(({ name, value }) => [name, value])),
  latestPayload: message.sample,
});
