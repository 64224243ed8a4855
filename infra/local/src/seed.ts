import { type Database, upsertProducts } from "@ballast/database";
import { z } from "zod";
import type { ApiClient } from "./api-client.ts";
import { sampleCompanies } from "./sample/companies.ts";
import { sampleCustomers } from "./sample/customers.ts";
import { sampleInvoices } from "./sample/invoices.ts";
import { sampleProducts } from "./sample/products.ts";

/**
 * Put the sample companies, customers, products and invoices where an ERP would: through the API,
 * except for products, which have no address there. Repeatable: what is there stays as it is.
 *
 * @returns what the sample holds, for people
 */
export async function seed(api: ApiClient, database: Database): Promise<string> {
  for (const { id, ...company } of sampleCompanies) {
    await api.call("PUT", `/v1/companies/${id}`, { body: company });
  }
  for (const { id, currency: _, ...customer } of sampleCustomers) {
    await api.call("PUT", `/v1/customers/${id}`, { body: customer });
  }
  await upsertProducts(
    database.kysely,
    sampleProducts.map((product) => ({
      ...product,
      unitPriceMinor: BigInt(product.unitPriceMinor),
    })),
  );
  // One after the other: numbers are then given in the same order on every machine.
  for (const invoice of sampleInvoices) await putIssued(api, invoice);

  return [
    `${sampleCompanies.length} companies`,
    `${sampleCustomers.length} customers`,
    `${sampleProducts.length} products`,
    `${sampleInvoices.length} invoices`,
  ].join(", ");
}

const State = z.object({ state: z.string() });

/** Write an invoice and issue it, unless that was done before: an issued invoice never changes. */
export async function putIssued(
  api: ApiClient,
  { id, ...invoice }: (typeof sampleInvoices)[number],
): Promise<void> {
  const path = `/v1/invoices/${id}`;
  const there = await api.call("GET", path, { also: [404] });
  if (there.status === 200 && State.parse(there.body).state !== "draft") return;
  await api.call("PUT", path, { body: invoice });
  await api.call("POST", `${path}/issue`);
}
