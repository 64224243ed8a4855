import type { AlertChannel } from "@ballast/contracts";
import type { AlertMessage } from "../alerts/alert-message.ts";
import type { Service } from "../http/call.ts";

/** A place where people are told. */
export interface Channel {
  readonly name: AlertChannel;
  /**
   * Tell it once more, whether or not it was told before.
   *
   * @returns its last words
   * @throws an error of `@ballast/jobs` that says whether it is worth asking again, and when
   */
  send(message: AlertMessage, signal: AbortSignal): Promise<string>;
}

/** An outside service as a channel: what its failures are called. */
export const channelService = (name: string): Service => ({
  name,
  codes: {
    down: "channel_down",
    limited: "channel_limited",
    refused: "channel_refused",
    rejected: "alert_rejected",
  },
});
