import { createHash } from "node:crypto";
import type { Document, NewDocument } from "@ballast/database";
import { DependencyDownError } from "@ballast/jobs";
import { ObjectNotFoundError, type ObjectStore, StoreUnavailableError } from "@ballast/storage";
import { mailBody } from "../mail-body.ts";

export const sha256 = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex");

/**
 * Where one rendering stands. A function of what was asked for, so that a second run replaces the
 * first instead of standing beside it.
 */
export const objectKeyOf = ({
  companyId,
  invoiceId,
  revision,
  locale,
}: Pick<NewDocument, "companyId" | "invoiceId" | "revision" | "locale">): string =>
  `invoices/${companyId}/${invoiceId}.r${revision}.${locale}.pdf`;

/**
 * See that the store answers, before anything is printed for it: one that is away for an hour then
 * costs questions, not prints.
 *
 * @throws {DependencyDownError} if the store does not answer
 */
export async function askStore(
  store: ObjectStore,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  await answered(store.stat(key, { signal }));
}

/**
 * Store a PDF, and the mail body made of it beside it.
 *
 * @throws {DependencyDownError} if the store does not answer
 */
export async function putPdf(
  store: ObjectStore,
  { objectKey, mailBodyKey }: { readonly objectKey: string; readonly mailBodyKey: string },
  pdf: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  await answered(
    Promise.all([
      store.put(objectKey, pdf, { contentType: "application/pdf", signal }),
      store.put(mailBodyKey, mailBody(pdf), { contentType: "text/plain", signal }),
    ]),
  );
}

/**
 * Whether a document stands in the store as it was recorded. Its bytes are read, since whoever misses
 * them asks for a new rendering, which must then not answer that all is well.
 *
 * @throws {DependencyDownError} if the store does not answer
 */
export async function isWhole(
  store: ObjectStore,
  { objectKey, sizeBytes, sha256: recorded }: Document,
  signal: AbortSignal,
): Promise<boolean> {
  const stat = await answered(store.stat(objectKey, { signal }));
  if (stat?.sizeBytes !== sizeBytes) return false;
  const hash = createHash("sha256");
  try {
    for await (const chunk of await store.get(objectKey, { signal })) hash.update(chunk);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return false; // removed between the two looks
    throw asDependency(error);
  }
  return hash.digest("hex") === recorded;
}

const answered = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw asDependency(error);
  });

const asDependency = (error: unknown): unknown =>
  error instanceof StoreUnavailableError
    ? new DependencyDownError(
        "storage_down",
        `the object store does not answer: ${error.message}`,
        {
          cause: error,
        },
      )
    : error;
