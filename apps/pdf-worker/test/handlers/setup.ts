import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { documentHold, type PayloadOf, type renderInvoice, sendInvoice } from "@ballast/contracts";
import { openRunStore } from "@ballast/database";
import { type Attempt, createRequests, type Log } from "@ballast/jobs";
import { openObjectStore } from "@ballast/storage";
import { createTestDatabase, seedIssuedInvoice } from "@ballast/testing";
import { type RenderInvoiceDeps, renderInvoiceHandler } from "../../src/handlers/render-invoice.ts";

type Payload = PayloadOf<typeof renderInvoice>;

/** A printer of one-page documents that counts them. */
function countingPrinter() {
  const printer = {
    prints: 0,
    print: async (html: string) => {
      printer.prints += 1;
      const pdf = Buffer.from(`%PDF of ${html.length} characters`);
      return { pdf, pageCount: 1, ms: 1 };
    },
  };
  return printer;
}

/** The handler on a real database and a real folder; the printer may be replaced. */
export async function setup(deps: Partial<RenderInvoiceDeps> = {}) {
  const stack = new AsyncDisposableStack();
  const { db } = stack.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "ballast-documents-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const documents = stack.use(await openObjectStore(pathToFileURL(folder).href));
  const store = openRunStore(db);
  const requests = createRequests({ store });
  const printer = countingPrinter();
  const handler = renderInvoiceHandler({ database: db, documents, printer, requests, ...deps });

  const warnings: object[] = [];
  const log: Log = {
    debug() {},
    info() {},
    warn: (values) => warnings.push(values),
    error() {},
    child: () => log,
  };
  const attempt = (
    payload: Payload,
    { companyId = null, signal = new AbortController().signal }: Partial<Attempt<Payload>> = {},
  ) =>
    handler.run({
      payload: payload as never,
      signal,
      log,
      progress() {},
      lease: { check() {}, step: (work) => work(signal) },
      runId: randomUUID(),
      requestId: null,
      attemptId: randomUUID(),
      attempt: 1,
      companyId,
      subject: null,
      traceparent: null,
    });

  return {
    db,
    documents,
    printer,
    warnings,
    attempt,
    seed: (overrides = {}) => seedIssuedInvoice(db, overrides),
    read: async (key: string) => buffer(await documents.get(key)),
    files: async () =>
      (await readdir(folder, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name)
        .sort(),
    /** Ask for a mail that waits for the document; answers whether it still waits. */
    holdMail: async (payload: Payload, companyId: string) => {
      const { runId } = await db.transaction((tx) =>
        requests.ask(tx, sendInvoice, payload, {
          companyId,
          requestedBy: "test",
          heldFor: documentHold(payload),
        }),
      );
      return async () => {
        const run = await db.kysely
          .selectFrom("jobRuns")
          .select("heldFor")
          .where("id", "=", runId)
          .executeTakeFirstOrThrow();
        return run.heldFor !== null;
      };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export const payloadOf = (
  invoice: { readonly id: string; readonly revision: number },
  overrides: Partial<Payload> = {},
): Payload => ({
  invoiceId: invoice.id,
  revision: invoice.revision,
  locale: "de-DE",
  ...overrides,
});
