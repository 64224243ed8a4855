import { seedIssuedInvoice } from "@ballast/testing";
import pg from "pg";
import type { Services } from "./services.ts";

/** So many issued invoices of one company, copies of one. */
export async function issuedInvoices(
  services: Services,
  count: number,
): Promise<{ companyId: string; ids: string[] }> {
  const { invoice } = await seedIssuedInvoice(services.db);
  const client = new pg.Client({ connectionString: services.databaseUrl });
  await client.connect();
  try {
    const { rows: columns } = await client.query<{ name: string }>(
      "SELECT quote_ident(attname) AS name FROM pg_attribute WHERE attrelid = 'invoices'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
    );
    const kept = columns.map(({ name }) => name).filter((name) => !["id", "number"].includes(name));
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO invoices (id, number, ${kept}) SELECT gen_random_uuid(), 'BENCH-' || n, ${kept}
       FROM invoices, generate_series(1, $2::int) AS n WHERE id = $1 RETURNING id`,
      [invoice.id, count],
    );
    await client.query("ANALYZE invoices");
    return { companyId: invoice.companyId, ids: rows.map(({ id }) => id) };
  } finally {
    await client.end();
  }
}
