import type { Delivery } from "@ballast/database";
import { z } from "zod";
import { LetterState } from "./dead-letter.ts";
import { moment, uuid } from "./text.ts";
import { reason } from "./triage.ts";

export const DeliveryState = z.enum([
  "planned",
  "sending",
  "sent",
  "rejected",
  "unknown",
  "suppressed",
]);

const DeliveryBody = z
  .object({
    deliveryId: uuid("The mail in the ledger"),
    companyId: z.string(),
    invoiceId: z.string(),
    revision: z.int().positive(),
    ordinal: z
      .int()
      .positive()
      .meta({ description: "1 is the first mail; each resend is one more." }),
    recipient: z.string(),
    reason: z.string().nullable().meta({ description: "Why it is sent again." }),
    messageId: z.string().meta({ description: "By which mail servers and archives find it." }),
    state: DeliveryState,
    response: z.string().nullable().meta({ description: "The mail server's last words." }),
    error: z.object({ code: z.string().nullable(), message: z.string().nullable() }).nullable(),
    createdAt: moment,
    sentAt: moment.nullable(),
  })
  .meta({ id: "Delivery" });

export const DeliveryListBody = z.object({
  deliveries: z.array(DeliveryBody),
  nextCursor: z.string().nullable().meta({ description: "`null` on the last page." }),
});

export const SettleInput = z
  .strictObject({
    outcome: z.enum(["sent", "not-sent"]).meta({
      description: "`sent`: it arrived. `not-sent`: it never left, so it may be sent now.",
    }),
    reason,
  })
  .meta({ id: "SettleInput" });

export const SettledDeliveryBody = z
  .object({
    delivery: DeliveryBody,
    letters: z
      .array(z.object({ letterId: z.string(), state: LetterState }))
      .meta({ description: "Of the runs that died of not knowing; settled along." }),
    requestId: z.string().nullable().meta({ description: "The job that sends it now, if any." }),
  })
  .meta({ id: "SettledDelivery" });

export const deliveryBody = (delivery: Delivery) => ({
  deliveryId: delivery.id,
  companyId: delivery.companyId,
  invoiceId: delivery.invoiceId,
  revision: delivery.revision,
  ordinal: delivery.ordinal,
  recipient: delivery.recipient,
  reason: delivery.reason,
  messageId: delivery.messageId,
  state: delivery.state,
  response: delivery.response,
  error:
    delivery.errorCode === null && delivery.errorMessage === null
      ? null
      : { code: delivery.errorCode, message: delivery.errorMessage },
  createdAt: delivery.createdAt,
  sentAt: delivery.sentAt,
});
