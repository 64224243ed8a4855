import { renderInvoice } from "@ballast/contracts";
import { findCustomer, upsertCustomer } from "@ballast/database";
import { handle, PermanentError, prepareEngine, startWorker } from "@ballast/jobs";
import { describeEachEngine } from "@ballast/testing";
import { expect, test } from "vitest";
import { type Api, setup } from "./setup.ts";

const WEEK_MS = 7 * 24 * 3_600_000;

/** Refuses customers without a mail address, and tells of whom it did work for. */
const work = (t: Api, seen: string[]) =>
  startWorker({
    queue: renderInvoice.queue,
    handlers: [
      handle(renderInvoice, async ({ payload: { invoiceId }, companyId }) => {
        const invoice = await t.database.kysely
          .selectFrom("invoices")
          .select("customerId")
          .where("id", "=", invoiceId)
          .executeTakeFirstOrThrow();
        const customer = await findCustomer(t.database.kysely, companyId ?? "", invoice.customerId);
        if (customer?.email === null) throw new PermanentError("no_address", "nowhere to send it");
        seen.push(customer?.email ?? "");
        const file = { objectKey: "x.pdf", sha256: "a".repeat(64), pageCount: 1, sizeBytes: 1 };
        return { documentId: invoiceId, ...file };
      }),
    ],
    engine: t.deps.engine as Parameters<typeof startWorker>[0]["engine"],
    store: t.store,
    telemetry: t.telemetry,
  });

describeEachEngine("a replay at work", (engine) => {
  test("a letter of a week ago works on the data of today, and as often as it dies it is parked as the next generation", async () => {
    await using opened = await engine.open();
    await prepareEngine(opened.url);
    const { url: queueUrl, prefix } = opened;
    await using t = await setup({ queueUrl, prefix, dispatching: true });
    const seen: string[] = [];
    await using _worker = await work(t, seen);
    const { companyId, customerId, invoiceId } = await t.issued();
    const db = t.database.kysely;
    const customer = await findCustomer(db, companyId, customerId);
    if (customer === undefined) throw new Error("the customer was just written");
    await upsertCustomer(db, { ...customer, email: null });
    const parked = (letterId: string) =>
      expect
        .poll(async () => (await t.api.get(`/v1/dead-letters/${letterId}`)).body, {
          timeout: 60_000,
          interval: 200,
        })
        .toMatchObject({ state: "open", error: { code: "no_address" } });
    const replay = async (letterId: string) =>
      (await t.api.post(`/v1/dead-letters/${letterId}/replay`, { reason: "again" }).expect(202))
        .body;

    const first = (await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202)).body;
    await parked(first.runId);
    const longAgo = new Date(Date.now() - WEEK_MS);
    await db
      .updateTable("deadLetters")
      .set({ diedAt: longAgo, askedAt: longAgo, parkedAt: longAgo })
      .where("runId", "=", first.runId)
      .execute();
    const second = await replay(first.runId);
    await parked(second.runId);
    expect((await t.api.get(`/v1/dead-letters/${second.runId}`)).body.generation).toBe(2);

    await upsertCustomer(db, { ...customer, email: "today@mueller.example" });
    const third = await replay(second.runId);
    await expect
      .poll(async () => (await t.api.get(`/v1/jobs/${third.requestId}`)).body, {
        timeout: 60_000,
        interval: 200,
      })
      .toMatchObject({ state: "completed", origin: "replay" });
    expect(seen).toEqual(["today@mueller.example"]);
    const { lineage } = (await t.api.get(`/v1/dead-letters/${first.runId}`)).body;
    expect(lineage.descendants).toMatchObject([
      { runId: second.runId, generation: 2, state: "dead", letterId: second.runId },
      { runId: third.runId, generation: 3, state: "completed", letterId: null },
    ]);
  }, 240_000);
});
