import type { Database } from "@ballast/database";
import { sql } from "kysely";

export interface ManyInvoices {
  /** Copied with its lines, its customer and its company. */
  readonly like: string;
  readonly count: number;
  /** Of the copies' numbers, which no other invoice has. */
  readonly prefix: string;
  /** One in so many has no document yet; 1: none has. */
  readonly unrenderedEvery: number;
}

/** Issue many invoices that are alike, in a few statements; in the order of their numbers. */
export async function manyInvoices(
  { kysely }: Database,
  { like, count, prefix, unrenderedEvery }: ManyInvoices,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    WITH copies AS (
      INSERT INTO invoices
      SELECT (jsonb_populate_record(i, jsonb_build_object(
        'id', gen_random_uuid(), 'number', ${prefix} || lpad(n::text, 6, '0')))).*
      FROM invoices i, generate_series(1, ${count}::int) n WHERE i.id = ${like}
      RETURNING id, number
    )
    SELECT id FROM copies ORDER BY number`.execute(kysely);
  const ids = rows.map(({ id }) => id);
  await sql`
    INSERT INTO invoice_lines
    SELECT (jsonb_populate_record(l, jsonb_build_object('invoice_id', c.id))).*
    FROM invoice_lines l, unnest(${ids}::uuid[]) c(id) WHERE l.invoice_id = ${like}`.execute(
    kysely,
  );
  // The rows alone: whoever asks for these finds them rendered, and nobody reads the files.
  await sql`
    INSERT INTO documents (id, company_id, invoice_id, revision, locale, object_key, sha256, page_count, size_bytes)
    SELECT gen_random_uuid(), i.company_id, i.id, i.revision, i.locale, 'copies/' || i.id,
           repeat('0', 64), 1, 1
    FROM unnest(${ids}::uuid[]) WITH ORDINALITY c(id, n) JOIN invoices i ON i.id = c.id
    WHERE c.n % ${unrenderedEvery}::int <> 0`.execute(kysely);
  return ids;
}
