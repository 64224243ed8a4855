import { type Selectable, sql } from "kysely";
import type { Address } from "./address.ts";
import type { Queryable } from "./database.ts";
import type { Schema } from "./schema.ts";
import type { CompanyScope } from "./scope.ts";

export interface CustomerFacts {
  readonly id: string;
  readonly companyId: string;
  readonly name: string;
  readonly address: Address;
  /** Where invoices go; `null`: none can be mailed. */
  readonly email: string | null;
  /** BCP 47; the language of documents and mails. */
  readonly locale: string;
  readonly taxId: string | null;
}

export interface Customer extends CustomerFacts {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/**
 * Create a customer or replace its facts. Repeatable.
 *
 * @throws {CustomerOfAnotherCompanyError} if the id is taken by a customer of another company
 */
export async function upsertCustomer(db: Queryable, facts: CustomerFacts): Promise<Customer> {
  const values = customerColumns(facts);
  const row = await db
    .insertInto("customers")
    .values(values)
    .onConflict((oc) =>
      oc
        .column("id")
        .doUpdateSet({ ...values, updatedAt: sql`now()` })
        .where("customers.companyId", "=", facts.companyId),
    )
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw new CustomerOfAnotherCompanyError(facts.id);
  return row;
}

export async function findCustomer(
  db: Queryable,
  scope: CompanyScope,
  id: string,
): Promise<Customer | undefined> {
  return await db
    .selectFrom("customers")
    .selectAll()
    .where("id", "=", id)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .executeTakeFirst();
}

export async function listCustomers(db: Queryable, scope: CompanyScope): Promise<Customer[]> {
  return await db
    .selectFrom("customers")
    .selectAll()
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .orderBy("name")
    .orderBy("id")
    .execute();
}

/** The facts alone, as an issued invoice keeps them. */
export function customerFacts(row: Selectable<Schema["customers"]>): CustomerFacts {
  const { createdAt: _, updatedAt: __, ...facts } = row;
  return facts;
}

export class CustomerOfAnotherCompanyError extends Error {
  override readonly name = "CustomerOfAnotherCompanyError";
  readonly customerId: string;

  constructor(customerId: string) {
    super(`customer id ${customerId} is taken by another company: choose another id`);
    this.customerId = customerId;
  }
}

const customerColumns = (facts: CustomerFacts) => ({
  id: facts.id,
  companyId: facts.companyId,
  name: facts.name,
  address: JSON.stringify(facts.address),
  email: facts.email,
  locale: facts.locale,
  taxId: facts.taxId,
});
