import type { AlertMessage } from "../alerts/alert-message.ts";
import { call } from "../http/call.ts";
import { type Channel, channelService } from "./channel.ts";

const PAGERDUTY = channelService("PagerDuty");
const MAX_SUMMARY_LENGTH = 1_024;

export interface PagerDutySettings {
  readonly routingKey: string;
  /** `https://events.pagerduty.com`, or the one of another region. */
  readonly url: string;
}

/** Events API v2: every alert of an incident is one PagerDuty incident, closed by its resolution. */
export const pagerduty = (settings: PagerDutySettings): Channel => ({
  name: "pagerduty",
  async send(message, signal) {
    const body = pagerdutyBody(message, settings.routingKey);
    const url = new URL("/v2/enqueue", settings.url).href;
    await call(PAGERDUTY, { method: "POST", url, body }, signal);
    return message.dedupKey;
  },
});

function pagerdutyBody(message: AlertMessage, routingKey: string): object {
  const { headline, title, facts, url, severity, sample } = message;
  const isOver = message.kind === "resolved";
  return {
    routing_key: routingKey,
    event_action: isOver ? "resolve" : "trigger",
    dedup_key: message.dedupKey,
    client: "Ballast",
    ...(url === null ? {} : { client_url: url, links: [{ href: url, text: "Open the incident" }] }),
    payload: {
      summary: `${headline}: ${title}`.slice(0, MAX_SUMMARY_LENGTH),
      source: "ballast",
      severity,
      timestamp: message.at.toISOString(),
      component: message.job,
      group: message.queue,
      class: message.code ?? "unknown",
      custom_details: {
        ...Object.fromEntries(facts.map(({ name, value }) => [name, value])),
        ...(sample === null ? {} : { "Latest payload": sample }),
      },
    },
  };
}
