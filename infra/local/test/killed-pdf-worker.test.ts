import { describeEachEngine, msBetween, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { openSmallStack } from "./small-stack.ts";

/** Long enough to be met in the middle. */
const LONG_INVOICE_LINES = 3_000;
/** The queue's `handBackAfterMs`. */
const HAND_BACK_MS = 1_000;
const OVER = ["completed", "dead", "cancelled"];

describeEachEngine("a pdf-worker stopped in the middle of a document", (engine) => {
  test("by SIGKILL: another renders the invoice, and one mail goes out", async () => {
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

    const outcomes = (await t.reach(rendered, OVER)).attempts.map(({ outcome }) => outcome);
    // On a busy machine the second may lose its lock, too, and let go.
    expect(outcomes.filter((outcome) => outcome !== "interrupted")).toEqual(["lost", "completed"]);
    expect((await t.reach(sent, OVER)).state).toBe("completed");
    expect(t.smtp.mails).toHaveLength(1);
    expect(t.smtp.mails[0]?.parsed.attachments).toHaveLength(1);
  });

  test("by SIGTERM: it hands over in under two seconds, and the attempt is not counted", async () => {
    await using t = await openSmallStack(engine);
    const invoice = await t.invoice(LONG_INVOICE_LINES);
    const leaving = await t.start("pdf-worker");
    const askedAt = Date.now();
    const rendered = await t.ask(`/v1/invoices/${invoice.id}/pdf`);
    await t.reach(rendered, ["started"]);
    const takenOverMs = Date.now() - askedAt;

    leaving.child.kill("SIGTERM");
    await until(async () => (await t.job(rendered)).attempts[0]?.outcome === "interrupted", {
      what: "the hand-over",
    });
    expect(await leaving.ended).toBe("exit code 0");
    // Two seconds is the promise. A machine that is slow to take work over is as slow to hand it over.
    expect(msBetween(leaving.output(), "told to stop", "worker stopped")).toBeLessThan(
      Math.max(2_000, HAND_BACK_MS + 2 * takenOverMs),
    );

    const { attemptsMade } = await t.db.kysely
      .selectFrom("jobRuns")
      .select("attemptsMade")
      .executeTakeFirstOrThrow();
    expect(attemptsMade).toBe(0);
    await t.start("pdf-worker");
    expect((await t.reach(rendered, OVER)).state).toBe("completed");
  });
});
