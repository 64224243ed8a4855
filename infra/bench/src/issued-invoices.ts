import { seedIssuedInvoice } from "@ballast/testing";
import type pg from "pg";
import { openClient } from "./pg-client.ts";
import type { Services } from "./services.ts";

/** So many issued invoices of one company, copies of one, with its lines. */
export async function issuedInvoices(
  services: Pick<Services, "db" | "databaseUrl">,
  count: number,
): Promise<{ companyId: string; ids: string[] }> {
  const { invoice } = await seedIssuedInvoice(services.db);
  await using client = await openClient(services.databaseUrl);
  const facts = await columnsOf(client, "invoices", ["id", "number"]);
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO invoices (id, number, ${facts}) SELECT gen_random_uuid(), 'BENCH-' || n, ${facts}
     FROM invoices, generate_series(1, $2::int) AS n WHERE id = $1 RETURNING id`,
    [invoice.id, count],
  );
  const ids = rows.map(({ id }) => id);
  const line = await columnsOf(client, "invoice_lines", ["invoice_id"]);
  await client.query(
    `INSERT INTO invoice_lines (invoice_id, ${line}) SELECT copy, ${line}
     FROM invoice_lines, unnest($2::uuid[]) AS copy WHERE invoice_id = $1`,
    [invoice.id, ids],
  );
  await client.query("ANALYZE invoices, invoice_lines");
  return { companyId: invoice.companyId, ids };
}

/** Every column that can be written, but for some. */
async function columnsOf(
  client: pg.Client,
  table: string,
  without: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(attname) AS name FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`,
    [table],
  );
  return rows.map(({ name }) => name).filter((name) => !without.includes(name));
}
