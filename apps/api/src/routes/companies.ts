import {
  type Company,
  type Database,
  findCompany,
  lockCompany,
  upsertCompany,
} from "@ballast/database";
import { z } from "zod";
import { type Caller, scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { notFound, Problem } from "../http/problem.ts";
import { moveWaiting } from "../reminders/move-waiting.ts";
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
      "Its number series goes on. Invoices that were issued keep the facts they were issued with; reminders that wait move with its time zone. Which domain it mails from is for keys of all companies to say.",
    params: CompanyParams,
    query: z.object({}),
    body: CompanyInput,
    example: companyExample,
    answers: {
      200: { description: "Replaced.", schema: CompanyBody },
      201: { description: "Created.", schema: CompanyBody },
    },
    problems: ["not-found", "all-companies-only"],
    async handle({ caller, params: { companyId }, body, tx }) {
      if (caller.companyId !== null && caller.companyId !== companyId)
        throw notFound("company", companyId);
      const before = await lockCompany(tx, "all", companyId);
      refuseOtherDomain(caller, before, body.mailFromAddress);
      const company = await upsertCompany(tx, { ...body, id: companyId });
      if (before !== undefined && before.timeZone !== company.timeZone)
        await moveWaiting(tx, company);
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

/** All companies mail through one relay, which vouches for the domain of each: only their operators name one. */
function refuseOtherDomain(caller: Caller, before: Company | undefined, address: string): void {
  if (caller.companyId === null) return;
  const domain = before && domainOf(before.mailFromAddress);
  if (domain === domainOf(address)) return;
  const rule =
    domain === undefined
      ? `company ${caller.companyId} is not there yet`
      : `company ${caller.companyId} mails from ${domain}`;
  throw new Problem(
    "all-companies-only",
    `mailFromAddress may not be ${address}: ${rule}; ask an operator with a key of all companies`,
  );
}

/** In small letters: in capitals it is the same. */
const domainOf = (address: string): string =>
  address.slice(address.lastIndexOf("@") + 1).toLowerCase();
