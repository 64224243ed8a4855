import { type Database, findCompany, upsertCompany } from "@ballast/database";
import { z } from "zod";
import { scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { notFound } from "../http/problem.ts";
import { CompanyBody, CompanyInput } from "../schemas/company.ts";
import { uuid } from "../schemas/text.ts";
import { companyExample } from "./examples.ts";

export const CompanyParams = z.object({ companyId: uuid("The company") });

/** Who sends the invoices: letterhead, bank, number series, mail identity. */
export const companyRoutes = ({ database }: { database: Database }): Endpoint[] => [
  write({
    method: "put",
    path: "/v1/companies/{companyId}",
    operationId: "putCompany",
    tag: "Companies",
    scope: "write",
    summary: "Create a company or replace its facts",
    description:
      "Its number series goes on. Invoices that were issued keep the facts they were issued with.",
    params: CompanyParams,
    query: z.object({}),
    body: CompanyInput,
    example: companyExample,
    answers: {
      200: { description: "Replaced.", schema: CompanyBody },
      201: { description: "Created.", schema: CompanyBody },
    },
    problems: ["not-found"],
    async handle({ caller, params: { companyId }, body, tx }) {
      if (caller.companyId !== null && caller.companyId !== companyId)
        throw notFound("company", companyId);
      const before = await findCompany(tx, "all", companyId);
      const company = await upsertCompany(tx, { ...body, id: companyId });
      return { status: before === undefined ? 201 : 200, body: company };
    },
  }),

  read({
    method: "get",
    path: "/v1/companies/{companyId}",
    operationId: "getCompany",
    tag: "Companies",
    scope: "read",
    summary: "Read a company",
    params: CompanyParams,
    query: z.object({}),
    answers: { 200: { description: "The company.", schema: CompanyBody } },
    problems: ["not-found"],
    async handle({ caller, params: { companyId } }) {
      const company = await findCompany(database.kysely, scopeOf(caller), companyId);
      if (company === undefined) throw notFound("company", companyId);
      return { status: 200, body: company };
    },
  }),
];
