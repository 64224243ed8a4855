import { describeEachEngine } from "@ballast/testing";
import { expect, test } from "vitest";
import { openSmallStack } from "./small-stack.ts";

describeEachEngine("an email-worker killed in the middle of a mail", (engine) => {
  test("shows that nobody knows whether it went out, and no second one goes", async () => {
    await using t = await openSmallStack(engine, { behaviour: { kind: "silence", at: "message" } });
    const invoice = await t.invoice(1);
    await t.start("pdf-worker");
    const doomed = await t.start("email-worker");
    const sent = await t.ask(`/v1/invoices/${invoice.id}/send`);
    await t.smtp.waitForMails(1);

    doomed.child.kill("SIGKILL");
    await doomed.ended;
    t.smtp.behave({ kind: "accept" });
    // As if the 90 s had passed that a claim on a mail lasts.
    await t.db.kysely.updateTable("emailDeliveries").set({ leaseUntil: new Date() }).execute();
    await t.start("email-worker");

    const { state, error } = await t.reach(sent, ["completed", "dead", "cancelled"]);
    expect(state).toBe("dead");
    expect(error).toMatchObject({ code: "outcome_unknown" });
    expect(t.smtp.mails).toHaveLength(1);
  });
});
