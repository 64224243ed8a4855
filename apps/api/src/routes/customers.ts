import {
  CustomerInUseError,
  CustomerOfAnotherCompanyError,
  type Database,
  eraseCustomer,
  findCustomer,
  unsuppress,
  upsertCustomer,
} from "@ballast/database";
import type { Engine } from "@ballast/jobs";
import { z } from "zod";
import { requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { notFound, Problem } from "../http/problem.ts";
import { CustomerBody, CustomerInput, ErasureBody } from "../schemas/customer.ts";
import { uuid } from "../schemas/text.ts";
import { ReasonInput } from "../schemas/triage.ts";
import { customerExample } from "./examples.ts";
import { ownerOf } from "./owner.ts";

const Params = z.object({ customerId: uuid("The customer") });

interface Deps {
  readonly database: Database;
  readonly engine: Pick<Engine, "remove">;
}

/** Who gets the invoices. */
export const customerRoutes = ({ database, engine }: Deps): Endpoint[] => [
  write({
    method: "put",
    path: "/v1/customers/{customerId}",
    operationId: "putCustomer",
    tag: "Customers",
    scope: "write",
    summary: "Create a customer or replace its facts",
    description: "Invoices that were issued keep the facts they were issued with.",
    params: Params,
    query: z.object({}),
    body: CustomerInput,
    example: customerExample,
    answers: {
      200: { description: "Replaced.", schema: CustomerBody },
      201: { description: "Created.", schema: CustomerBody },
    },
    problems: ["not-found"],
    async handle({ caller, params: { customerId }, body, tx }) {
      const before = await findCustomer(tx, scopeOf(caller), customerId);
      const companyId = await ownerOf(tx, caller, body.companyId, before);
      const customer = await upsertCustomer(tx, { ...body, id: customerId, companyId }).catch(
        (error: unknown) => {
          // Taken by a company this key does not reach: to the caller there is no such customer.
          if (error instanceof CustomerOfAnotherCompanyError)
            throw notFound("customer", customerId);
          throw error;
        },
      );
      return { status: before === undefined ? 201 : 200, body: customer };
    },
  }),

  read({
    method: "get",
    path: "/v1/customers/{customerId}",
    operationId: "getCustomer",
    tag: "Customers",
    scope: "read",
    summary: "Read a customer",
    params: Params,
    query: z.object({}),
    answers: { 200: { description: "The customer.", schema: CustomerBody } },
    problems: ["not-found"],
    async handle({ caller, params: { customerId } }) {
      const customer = await findCustomer(database.kysely, scopeOf(caller), customerId);
      if (customer === undefined) throw notFound("customer", customerId);
      return { status: 200, body: customer };
    },
  }),

  write({
    method: "delete",
    path: "/v1/customers/{customerId}/suppression",
    operationId: "liftSuppression",
    tag: "Customers",
    scope: "operate",
    summary: "Let mails reach the customer's address again",
    description:
      "An address that bounced for good or complained gets no more mail until this is called. Repeatable.",
    params: Params,
    query: z.object({}),
    answers: { 204: { description: "The address is not suppressed (any more)." } },
    problems: ["not-found"],
    async handle({ caller, params: { customerId }, tx }) {
      const customer = await findCustomer(tx, scopeOf(caller), customerId);
      if (customer === undefined) throw notFound("customer", customerId);
      if (customer.email !== null) await unsuppress(tx, customer.companyId, customer.email);
      return { status: 204 };
    },
  }),

  write({
    method: "post",
    path: "/v1/customers/{customerId}/erase",
    operationId: "eraseCustomer",
    tag: "Customers",
    scope: "operate",
    summary: "Forget a customer",
    description:
      "Takes away who they are, where their mail went, and what errors, answers and dead letters say of it; deletes their drafts, takes back what waits for them. Issued invoices and their documents stay, as tax law demands. Cannot be undone. Repeatable.",
    params: Params,
    query: z.object({}),
    body: ReasonInput,
    example: { reason: "asked for by letter of 3 May, art. 17 GDPR" },
    answers: { 200: { description: "Forgotten.", schema: ErasureBody } },
    problems: ["not-found", "customer-in-use"],
    async handle({ caller, params: { customerId }, body, tx }) {
      const order = { by: requestedBy(caller), reason: body.reason };
      const done = await eraseCustomer(tx, scopeOf(caller), customerId, order).catch(
        (error: unknown) => {
          if (error instanceof CustomerInUseError)
            throw new Problem("customer-in-use", error.message);
          throw error;
        },
      );
      if (done === undefined) throw notFound("customer", customerId);
      return {
        status: 200,
        body: { customerId, ...done.erasure },
        // Best effort: a copy that stays is settled unrun when a worker starts it.
        committed: () => {
          for (const { queue, id } of done.stale) engine.remove(queue, id).catch(() => {});
        },
      };
    },
  }),
];
