import {
  CustomerOfAnotherCompanyError,
  type Database,
  findCustomer,
  unsuppress,
  upsertCustomer,
} from "@ballast/database";
import { z } from "zod";
import { scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { notFound } from "../http/problem.ts";
import { CustomerBody, CustomerInput } from "../schemas/customer.ts";
import { uuid } from "../schemas/text.ts";
import { customerExample } from "./examples.ts";
import { ownerOf } from "./owner.ts";

const Params = z.object({ customerId: uuid("The customer") });

/** Who gets the invoices. */
export const customerRoutes = ({ database }: { database: Database }): Endpoint[] => [
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
];
