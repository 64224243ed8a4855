import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { openSmallStack } from "./small-stack.ts";

/** Long enough to be met in the middle. */
const LONG_INVOICE_LINES = 4_000;
const OVER = ["completed", "dead", "cancelled"];

describeEachEngine("a pdf-worker stopped in the middle of a document", (engine) => {
  test("by SIGKILL: another renders the invoice, and one mail goes out", {
    timeout: 120_000,
  }, async () => {
    await using t = await openSmallStack(engine);
    const invoice = await t.invoice(LONG_INVOICE_LINES);
    const doomed = await t.start("pdf-worker");
    await t.start("email-worker");
    const rendered = await t.ask(`/v1/invoices/${invoice.id}/pdf`);
    const sent = await t.ask(`/v1/invoices/${invoice.id}/send`);
    await t.reach(rendered, ["started"]);

    doomed.child.kill("SIGKILL");
    await doomed.ended;
    await t.start("pdf-worker");

    expect((await t.reach(rendered, OVER)).attempts.map(({ outcome }) => outcome)).toEqual([
      "lost",
      "completed",
    ]);
    expect((await t.reach(sent, OVER)).state).toBe("completed");
    expect(t.smtp.mails).toHaveLength(1);
    expect(t.smtp.mails[0]?.parsed.attachments).toHaveLength(1);
  });

  test("by SIGTERM: it is gone in under two seconds, and the attempt is not counted", {
    timeout: 120_000,
  }, async () => {
    await using t = await openSmallStack(engine);
    const invoice = await t.invoice(LONG_INVOICE_LINES);
    const leaving = await t.start("pdf-worker");
    const rendered = await t.ask(`/v1/invoices/${invoice.id}/pdf`);
    await t.reach(rendered, ["started"]);

    const toldAt = Date.now();
    leaving.child.kill("SIGTERM");
    await until(async () => (await t.job(rendered)).attempts[0]?.outcome === "interrupted", {
      what: "the hand-over",
    });
    expect(Date.now() - toldAt).toBeLessThan(2_000);
    expect(await leaving.ended).toBe("exit code 0");

    const { attemptsMade } = await t.db.kysely
      .selectFrom("jobRuns")
      .select("attemptsMade")
      .executeTakeFirstOrThrow();
    expect(attemptsMade).toBe(0);
    await t.start("pdf-worker");
    expect((await t.reach(rendered, OVER)).state).toBe("completed");
  });
});
