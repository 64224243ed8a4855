import { sql } from "kysely";
import type { Queryable } from "./database.ts";
import type { CompanyScope } from "./scope.ts";
import { uuidv7 } from "./uuidv7.ts";

/** A rendered invoice and where its bytes are. */
export interface Document {
  readonly id: string;
  readonly companyId: string;
  readonly invoiceId: string;
  readonly revision: number;
  readonly locale: string;
  /** Where the PDF stands in the object store. */
  readonly objectKey: string;
  /** Where the base64 of the PDF stands, ready to be mailed; `null` if it was not made. */
  readonly mailBodyKey: string | null;
  /** Of the PDF, in hex. */
  readonly sha256: string;
  readonly pageCount: number;
  readonly sizeBytes: number;
  readonly createdAt: Date;
}

export type NewDocument = Omit<Document, "id" | "createdAt">;

/**
 * Record a document; one per invoice, revision and locale. Repeatable: rendering again keeps its id.
 *
 * @throws SQLSTATE 23503 if the company has no such invoice
 */
export async function recordDocument(db: Queryable, document: NewDocument): Promise<Document> {
  const { invoiceId, revision, locale, ...facts } = document;
  // One at a time: of two at once the second could break the rule of the key before it meets that of the invoice.
  const { rows } = await sql<Document>`
    WITH alone AS MATERIALIZED (
      SELECT pg_advisory_xact_lock(hashtextextended(${`ballast:document:${facts.objectKey}`}, 0))
    )
    INSERT INTO documents (id, company_id, invoice_id, revision, locale, object_key, mail_body_key, sha256,
                           page_count, size_bytes)
    SELECT ${uuidv7()}::uuid, ${facts.companyId}::uuid, ${invoiceId}::uuid, ${revision}::int, ${locale},
           ${facts.objectKey}, ${facts.mailBodyKey}, ${facts.sha256}, ${facts.pageCount}::int,
           ${facts.sizeBytes}::int
    FROM alone
    ON CONFLICT (invoice_id, revision, locale) DO UPDATE SET
      object_key = excluded.object_key, mail_body_key = excluded.mail_body_key, sha256 = excluded.sha256,
      page_count = excluded.page_count, size_bytes = excluded.size_bytes
    RETURNING *`.execute(db);
  return rows[0] as Document;
}

export interface DocumentIdentity {
  readonly invoiceId: string;
  readonly revision: number;
  readonly locale: string;
}

export async function findDocument(
  db: Queryable,
  scope: CompanyScope,
  { invoiceId, revision, locale }: DocumentIdentity,
): Promise<Document | undefined> {
  return await db
    .selectFrom("documents")
    .selectAll()
    .where("invoiceId", "=", invoiceId)
    .where("revision", "=", revision)
    .where("locale", "=", locale)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .executeTakeFirst();
}

export async function listDocuments(
  db: Queryable,
  scope: CompanyScope,
  invoiceId: string,
): Promise<Document[]> {
  return await db
    .selectFrom("documents")
    .selectAll()
    .where("invoiceId", "=", invoiceId)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .orderBy("revision", "desc")
    .orderBy("locale")
    .execute();
}
