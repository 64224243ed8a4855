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
  const facts = {
    objectKey: document.objectKey,
    mailBodyKey: document.mailBodyKey,
    sha256: document.sha256,
    pageCount: document.pageCount,
    sizeBytes: document.sizeBytes,
  };
  return await db
    .insertInto("documents")
    .values({
      id: uuidv7(),
      companyId: document.companyId,
      invoiceId: document.invoiceId,
      revision: document.revision,
      locale: document.locale,
      ...facts,
    })
    .onConflict((oc) => oc.columns(["invoiceId", "revision", "locale"]).doUpdateSet(facts))
    .returningAll()
    .executeTakeFirstOrThrow();
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
