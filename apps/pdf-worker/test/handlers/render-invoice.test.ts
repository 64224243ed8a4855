import { createHash, randomUUID } from "node:crypto";
import { renderInvoice } from "@ballast/contracts";
import { listDocuments, upsertDraft, voidInvoice } from "@ballast/database";
import { PermanentError } from "@ballast/jobs";
import { type ObjectStore, StoreUnavailableError } from "@ballast/storage";
import { sampleDraft } from "@ballast/testing";
import { describe, expect, test } from "vitest";
import { endlessHtml, openTestPrinter } from "../open-test-printer.ts";
import { readPdf } from "../read-pdf.ts";
import { payloadOf, setup } from "./setup.ts";

describe("an issued invoice", () => {
  test("is printed, stored under its own key and recorded with what it is", async () => {
    await using chromium = await openTestPrinter();
    await using t = await setup({ printer: chromium.printer });
    const { invoice } = await t.seed();
    const key = `invoices/${invoice.companyId}/${invoice.id}.r1.de-DE.pdf`;

    const result = renderInvoice.result.parse(await t.attempt(payloadOf(invoice)));

    const pdf = await t.read(key);
    const { text, pages } = await readPdf(pdf);
    expect(text).toContain(`Rechnung ${invoice.number}`);
    expect(text).toContain("Werft & Söhne GmbH");
    expect(text).toContain("57,84");
    const [document] = await listDocuments(t.db.kysely, "all", invoice.id);
    expect(document).toMatchObject({
      id: result.documentId,
      companyId: invoice.companyId,
      objectKey: key,
      mailBodyKey: `${key}.b64`,
      sha256: createHash("sha256").update(pdf).digest("hex"),
      pageCount: pages.length,
      sizeBytes: pdf.byteLength,
    });
    expect(result).toMatchObject({ objectKey: key, sha256: document?.sha256 });
    const body = (await t.read(`${key}.b64`)).toString("latin1");
    expect(Buffer.from(body, "base64").equals(pdf)).toBe(true);
    expect(body).toMatch(/^(.{76}\r\n)*.{1,76}$/);
  });

  test("is not printed twice, and says the same again", async () => {
    await using t = await setup();
    const { invoice } = await t.seed();

    const first = await t.attempt(payloadOf(invoice));
    const second = await t.attempt(payloadOf(invoice));

    expect(second).toEqual(first);
    expect(t.printer.prints).toBe(1);
  });

  test("is printed again where its file is gone or is another", async () => {
    await using t = await setup();
    const { invoice } = await t.seed();
    const { objectKey } = renderInvoice.result.parse(await t.attempt(payloadOf(invoice)));
    const stored = await t.read(objectKey);
    const contentType = "application/pdf";

    await t.documents.delete(objectKey);
    await t.attempt(payloadOf(invoice));
    expect((await t.read(objectKey)).equals(stored)).toBe(true);
    await t.documents.put(objectKey, Buffer.alloc(stored.byteLength), { contentType });
    await t.attempt(payloadOf(invoice));

    expect((await t.read(objectKey)).equals(stored)).toBe(true);
    expect(t.printer.prints).toBe(3);
    expect(await listDocuments(t.db.kysely, "all", invoice.id)).toHaveLength(1);
  });

  test("lets the mails go that waited for it, also when it was there already", async () => {
    await using t = await setup();
    const { invoice } = await t.seed();
    const payload = payloadOf(invoice);

    const waits = await t.holdMail(payload, invoice.companyId);
    expect(await waits()).toBe(true);
    await t.attempt(payload);
    expect(await waits()).toBe(false);
    const other = await t.seed();
    const otherWaits = await t.holdMail(payloadOf(other.invoice), other.invoice.companyId);
    await t.attempt(payload);

    expect(await otherWaits()).toBe(true);
    await t.attempt(payloadOf(other.invoice));
    expect(await otherWaits()).toBe(false);
  });

  test("has a document of its own in each language", async () => {
    await using t = await setup();
    const { invoice } = await t.seed();

    await t.attempt(payloadOf(invoice));
    await t.attempt(payloadOf(invoice, { locale: "fr-FR" }));

    expect(await t.files()).toEqual(
      ["de-DE", "fr-FR"].flatMap((locale) => [
        `${invoice.id}.r1.${locale}.pdf`,
        `${invoice.id}.r1.${locale}.pdf.b64`,
      ]),
    );
  });

  test("with characters no font has is printed, and they are named in the log", async () => {
    await using t = await setup();
    const { invoice } = await t.seed({ customer: { name: "𒀀𒀁" } });

    await t.attempt(payloadOf(invoice));

    expect(t.warnings).toEqual([{ characters: "𒀀𒀁", count: 2 }]);
  });
});

describe("nothing is printed, now or later,", () => {
  const permanent = (code: string) =>
    expect.objectContaining({ code, constructor: PermanentError });

  test("of an invoice that does not exist", async () => {
    await using t = await setup();
    const attempt = t.attempt(payloadOf({ id: randomUUID(), revision: 1 }));

    await expect(attempt).rejects.toEqual(permanent("invoice_not_found"));
    expect(t.printer.prints).toBe(0);
  });

  test("of another company's invoice", async () => {
    await using t = await setup();
    const { invoice } = await t.seed();
    const other = await t.seed();
    await t.attempt(payloadOf(invoice));

    const attempt = t.attempt(payloadOf(invoice), { companyId: other.company.id });

    await expect(attempt).rejects.toEqual(permanent("invoice_not_found"));
  });

  test("of a draft", async () => {
    await using t = await setup();
    const { customer } = await t.seed();
    const draft = await t.db.transaction((tx) => upsertDraft(tx, sampleDraft(customer)));

    const attempt = t.attempt(payloadOf({ id: draft.id, revision: 1 }));

    await expect(attempt).rejects.toEqual(permanent("invoice_not_issued"));
    expect(t.printer.prints).toBe(0);
  });

  test("of a void invoice", async () => {
    await using t = await setup();
    const { invoice } = await t.seed();
    await t.db.transaction((tx) => voidInvoice(tx, invoice.companyId, invoice.id));

    await expect(t.attempt(payloadOf(invoice))).rejects.toEqual(permanent("invoice_void"));
    expect(t.printer.prints).toBe(0);
  });

  test("of a revision that was replaced", async () => {
    await using t = await setup();
    const { invoice } = await t.seed();

    const attempt = t.attempt(payloadOf(invoice, { revision: 7 }));

    await expect(attempt).rejects.toEqual(permanent("revision_replaced"));
    expect(t.printer.prints).toBe(0);
  });
});

describe("a mail that waits for a document which never comes", () => {
  test("of a void invoice is let go, to end with the reason", async () => {
    await using t = await setup();
    const { invoice } = await t.seed();
    const waits = await t.holdMail(payloadOf(invoice), invoice.companyId);
    await t.db.transaction((tx) => voidInvoice(tx, invoice.companyId, invoice.id));

    await expect(t.attempt(payloadOf(invoice))).rejects.toMatchObject({ code: "invoice_void" });

    expect(await waits()).toBe(false);
  });

  test("of a revision that was replaced is let go, too", async () => {
    await using t = await setup();
    const { invoice } = await t.seed();
    const payload = payloadOf(invoice, { revision: 7 });
    const waits = await t.holdMail(payload, invoice.companyId);

    await expect(t.attempt(payload)).rejects.toMatchObject({ code: "revision_replaced" });

    expect(await waits()).toBe(false);
  });

  test("of another company is not let go by a stranger's job", async () => {
    await using t = await setup();
    const { invoice } = await t.seed();
    const other = await t.seed();
    const waits = await t.holdMail(payloadOf(invoice), invoice.companyId);

    const attempt = t.attempt(payloadOf(invoice), { companyId: other.company.id });

    await expect(attempt).rejects.toMatchObject({ code: "invoice_not_found" });
    expect(await waits()).toBe(true);
  });
});

describe("trouble", () => {
  test("with the object store is a dependency that is down, and nothing is recorded", async () => {
    const away = async () => {
      throw new StoreUnavailableError("ECONNREFUSED", "connect ECONNREFUSED");
    };
    const documents: ObjectStore = {
      put: away,
      get: away,
      stat: away,
      delete: away,
      [Symbol.asyncDispose]: async () => {},
    };
    await using t = await setup({ documents });
    const { invoice } = await t.seed();

    await expect(t.attempt(payloadOf(invoice))).rejects.toMatchObject({
      name: "DependencyDownError",
      code: "storage_down",
    });
    expect(await listDocuments(t.db.kysely, "all", invoice.id)).toEqual([]);
    expect(t.printer.prints).toBe(0); // or an hour's outage would print it each 5 s
  });

  test("an abort in the middle of a print lets go at once and records nothing", async () => {
    await using chromium = await openTestPrinter();
    const printing = Promise.withResolvers<void>();
    await using t = await setup({
      printer: {
        print: (_, request) => {
          printing.resolve();
          return chromium.printer.print(endlessHtml(), request);
        },
      },
    });
    const { invoice } = await t.seed();
    const abort = new AbortController();

    const attempt = t.attempt(payloadOf(invoice), { signal: abort.signal });
    await Promise.race([printing.promise, attempt]);
    const abortedAt = performance.now();
    abort.abort(new Error("shutting down"));
    await expect(attempt).rejects.toThrow("shutting down");

    expect(performance.now() - abortedAt).toBeLessThan(5_000); // the document takes over a minute
    expect(await t.files()).toEqual([]);
    expect(await listDocuments(t.db.kysely, "all", invoice.id)).toEqual([]);
  });
});
