import { sendAlert } from "@ballast/contracts";
import {
  findAlert,
  findAlertDelivery,
  incidentStory,
  type PrivateFieldsOf,
  type Queryable,
  recordAlertDelivery,
} from "@ballast/database";
import { DependencyDownError, type Handler, handle, JobError, PermanentError } from "@ballast/jobs";
import { alertMessage } from "../alerts/alert-message.ts";
import { overtakenBy } from "../alerts/overtaken.ts";
import type { Channels } from "../channels/open-channels.ts";

export interface SendAlertDeps {
  readonly db: Queryable;
  readonly channels: Channels;
  readonly privateFieldsOf: PrivateFieldsOf;
  readonly apiUrl: string | null;
  /** Told what became of each alert handed to a channel: `sent`, or the code of what went wrong. */
  readonly onResult?: (channel: string, result: string) => void;
}

/** Another replica may have the settings already, or still. */
const NOT_CONFIGURED_MS = 60_000;

/**
 * Tell one channel of one alert. The ledger makes a second run harmless; one that ends between the
 * channel's answer and the ledger tells twice, since not telling at all would be worse.
 *
 * Alerts of an incident overtake each other, as each waits for its channel by itself: one that a later alert
 * made untrue is not sent, and the ledger says so.
 */
export function sendAlertHandler(deps: SendAlertDeps): Handler {
  const { db, channels, privateFieldsOf, apiUrl, onResult = () => {} } = deps;

  return handle(sendAlert, async ({ payload, signal, lease, log }) => {
    const { alertId, channel: name } = payload;
    const told = await findAlertDelivery(db, alertId, name);
    if (told !== undefined) return { response: told };

    const channel = channels.get(name);
    if (channel === undefined)
      throw new DependencyDownError(
        "channel_not_configured",
        `channel ${name} has no settings in this process: set its ALERT_… variables`,
        { retryAfterMs: NOT_CONFIGURED_MS },
      );
    const alert = await findAlert(db, alertId);
    const incident = alert && (await incidentStory(db, alert.id, privateFieldsOf));
    if (alert === undefined || incident === undefined)
      throw new PermanentError("alert_not_found", `no alert ${alertId}: it outlived its time`);
    const reason = overtakenBy(alert);
    if (reason !== undefined) {
      const response = `not sent: ${reason}`;
      await recordAlertDelivery(db, { alertId, channel: name, response, overtaken: true });
      log.info({ alertId, channel: name, kind: alert.kind, reason }, "alert overtaken");
      return { response };
    }
    const message = alertMessage(alert, incident, apiUrl);

    try {
      const response = await lease.step(async (hard) => {
        const until = AbortSignal.any([signal, hard]);
        const said = await channel.gate.through(() => channel.send(message, until), until);
        await recordAlertDelivery(db, { alertId, channel: name, response: said });
        return said;
      });
      onResult(name, "sent");
      log.info({ alertId, channel: name, kind: message.kind }, "alert sent");
      return { response };
    } catch (error) {
      if (error instanceof JobError) onResult(name, error.code);
      throw error;
    }
  });
}
