import { z } from "zod";
import { call, type Service } from "../http/call.ts";
import { signed } from "../http/signature.ts";
import { TICKET_CODES, type TicketSystem } from "./ticket-system.ts";

export interface TicketWebhookSettings {
  readonly url: string;
  readonly secret: string;
}

const WEBHOOK: Service = { name: "the ticket webhook", codes: TICKET_CODES };
const Opened = z.object({ id: z.coerce.string(), url: z.url() });

/**
 * A system of the user's own behind one address, signed as alerts are. It is told everything with an
 * `Idempotency-Key` and answers `{ id, url }` to `open`; who asks twice gets the same.
 */
export function ticketWebhook({ url, secret }: TicketWebhookSettings): TicketSystem {
  const tell = async (key: string, message: object, signal: AbortSignal): Promise<string> => {
    const body = JSON.stringify(message);
    const headers = { ...signed(secret, body), "Idempotency-Key": key };
    return (await call(WEBHOOK, { method: "POST", url, headers, body }, signal)).text;
  };
  return {
    name: "webhook",
    find: async () => undefined,
    async open({ marker, ...ticket }, signal) {
      const answer = await tell(marker, { action: "open", key: marker, ticket }, signal);
      return Opened.parse(JSON.parse(answer));
    },
    hasComment: async () => false,
    async comment({ id }, { marker, text }, signal) {
      await tell(marker, { action: "comment", key: marker, id, text }, signal);
    },
  };
}
