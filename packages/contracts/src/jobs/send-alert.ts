import { z } from "zod";
import { defineJob } from "../job.ts";
import { deadLetter } from "../queues.ts";

/** Where people are told. Each channel fails and recovers by itself. */
export const AlertChannel = z.enum(["slack", "teams", "pagerduty", "mail", "webhook"]);
export type AlertChannel = z.output<typeof AlertChannel>;

/**
 * Tell one channel about one alert of an incident.
 *
 * A ledger of (alert, channel) keeps a second run from telling twice. A channel that is down is asked
 * again for a week, since nobody should miss what happened because the chat was away. What a later alert of
 * the incident made untrue meanwhile is not told.
 */
export const sendAlert = defineJob({
  queue: deadLetter,
  name: "send-alert",
  version: 1,
  payload: z.object({
    alertId: z.uuid().toLowerCase(),
    incidentId: z.uuid().toLowerCase(),
    channel: AlertChannel,
  }),
  result: z.object({
    /** The channel's last words, e.g. Slack's `ok` or PagerDuty's dedup key; or why it was not told. */
    response: z.string(),
  }),
  timeoutMs: 30_000,
  giveUpAfterMs: 7 * 24 * 3_600_000,
  slot: ({ alertId, channel }) => `${alertId}:${channel}`,
  subject: ({ incidentId }) => `incident:${incidentId}`,
});
