import { type Database, findDeliveries, type Tx } from "@ballast/database";
import type { Dispatcher, Requests } from "@ballast/jobs";
import { z } from "zod";
import { requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import {
  DeliveryListBody,
  DeliveryState,
  deliveryBody,
  SettledDeliveryBody,
  SettleInput,
} from "../schemas/delivery.ts";
import { given, paging } from "../schemas/paging.ts";
import { uuid } from "../schemas/text.ts";
import { settleDelivery } from "../triage/settle-delivery.ts";

interface Deps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
}

/** The ledger of mails, and the word of a person about those whose end no machine knows. */
export const deliveryRoutes = ({ database, requests, dispatcher }: Deps): Endpoint[] => [
  read({
    method: "get",
    path: "/v1/deliveries",
    operationId: "listDeliveries",
    tag: "Triage",
    scope: "read",
    summary: "List mails, the one planned last first",
    description:
      "`state=unknown` has those of which nobody knows whether they left: they wait for `settle`.",
    params: z.object({}),
    query: z.strictObject({
      state: DeliveryState.optional(),
      invoiceId: uuid("Of this invoice alone").optional(),
      ...paging,
    }),
    answers: { 200: { description: "A page.", schema: DeliveryListBody } },
    problems: [],
    async handle({ caller, query }) {
      const page = await findDeliveries(database.kysely, scopeOf(caller), given(query));
      const deliveries = page.deliveries.map(deliveryBody);
      return { status: 200, body: { deliveries, nextCursor: page.nextCursor } };
    },
  }),

  write({
    method: "post",
    path: "/v1/deliveries/{deliveryId}/settle",
    operationId: "settleDelivery",
    tag: "Triage",
    scope: "operate",
    summary: "Say what became of a mail whose outcome is unknown",
    description:
      "Look for its `messageId` at the mail server or ask the recipient first. `sent` closes it and the letter of the run that died of it. `not-sent` sends it, under the same Message-ID: if it did arrive after all, the recipient gets it twice.",
    params: z.object({ deliveryId: uuid("The mail in the ledger") }),
    query: z.object({}),
    body: SettleInput,
    example: { outcome: "sent", reason: "the customer has it" },
    answers: { 200: { description: "Settled.", schema: SettledDeliveryBody } },
    problems: ["not-found", "delivery-settled"],
    async handle({ caller, params: { deliveryId }, body, traceparent, tx }) {
      const finding = { ...body, by: requestedBy(caller), traceparent };
      const settled = await settleDelivery(tx, requests, scopeOf(caller), deliveryId, finding);
      return {
        status: 200,
        body: { ...settled, delivery: deliveryBody(settled.delivery) },
        committed: () => dispatcher.nudge(),
      };
    },
  }),
];
