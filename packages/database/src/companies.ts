import type { Selectable } from "kysely";
import { type Address, type Paper, paperOf, type TaxId } from "./address.ts";
import type { Queryable, Tx } from "./database.ts";
import type { Schema } from "./schema.ts";
import type { CompanyScope } from "./scope.ts";

/** What a company says of itself: letterhead, bank, mail identity, number series. */
export interface CompanyFacts {
  readonly id: string;
  readonly legalName: string;
  readonly address: Address;
  readonly taxIds: readonly TaxId[];
  readonly iban: string | null;
  readonly bic: string | null;
  readonly bankName: string | null;
  /** ISO 4217; what new invoices are in unless they say otherwise. */
  readonly currency: string;
  /** IANA name; decides which day it is when an invoice is issued. */
  readonly timeZone: string;
  readonly email: string | null;
  readonly phone: string | null;
  readonly website: string | null;
  readonly mailFromName: string;
  readonly mailFromAddress: string;
  /** Comes before the six digits of an invoice number, e.g. `R-`. */
  readonly numberPrefix: string;
}

export interface Company extends CompanyFacts {
  readonly paper: Paper;
  readonly nextInvoiceNumber: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Create a company or replace its facts; its number series goes on. Repeatable. */
export async function upsertCompany(db: Queryable, facts: CompanyFacts): Promise<Company> {
  const values = companyColumns(facts);
  const row = await db
    .insertInto("companies")
    .values(values)
    .onConflict((oc) => oc.column("id").doUpdateSet({ ...values, updatedAt: new Date() }))
    .returningAll()
    .executeTakeFirstOrThrow();
  return companyOf(row);
}

export async function findCompany(
  db: Queryable,
  scope: CompanyScope,
  id: string,
): Promise<Company | undefined> {
  if (scope !== "all" && scope !== id) return undefined;
  const row = await db.selectFrom("companies").selectAll().where("id", "=", id).executeTakeFirst();
  return row && companyOf(row);
}

/** The same, held until `tx` ends: of two who change it at once, the second sees what the first did. */
export async function lockCompany(
  tx: Tx,
  scope: CompanyScope,
  id: string,
): Promise<Company | undefined> {
  if (scope !== "all" && scope !== id) return undefined;
  const row = await tx
    .selectFrom("companies")
    .selectAll()
    .where("id", "=", id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row && companyOf(row);
}

export async function listCompanies(db: Queryable, scope: CompanyScope): Promise<Company[]> {
  const rows = await db
    .selectFrom("companies")
    .selectAll()
    .$if(scope !== "all", (query) => query.where("id", "=", scope))
    .orderBy("legalName")
    .execute();
  return rows.map(companyOf);
}

export function companyOf(row: Selectable<Schema["companies"]>): Company {
  return { ...row, paper: paperOf(row.address.countryCode) };
}

/** The facts alone, as an issued invoice keeps them. */
export function companyFacts(company: Company): CompanyFacts {
  const { paper: _, nextInvoiceNumber: __, createdAt: ___, updatedAt: ____, ...facts } = company;
  return facts;
}

/** Picked one by one: what a caller's object holds besides must not reach the table. */
const companyColumns = (facts: CompanyFacts) => ({
  id: facts.id,
  legalName: facts.legalName,
  address: JSON.stringify(facts.address),
  taxIds: JSON.stringify(facts.taxIds),
  iban: facts.iban,
  bic: facts.bic,
  bankName: facts.bankName,
  currency: facts.currency,
  timeZone: facts.timeZone,
  email: facts.email,
  phone: facts.phone,
  website: facts.website,
  mailFromName: facts.mailFromName,
  mailFromAddress: facts.mailFromAddress,
  numberPrefix: facts.numberPrefix,
});
