import { setTimeout as pause } from "node:timers/promises";
import { sql } from "kysely";
import { doubledMails, numberOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";

const MOST_CONNECTIONS = 20;

/** The mail server is away: mails wait without an attempt being counted, and few connections are tried. */
export const smtpDown = defineDrill({
  name: "smtp-down",
  promise:
    "60 s without SMTP: every mail goes out after its return, none dies, few connections are tried",
  sabotages: [
    {
      without: "an outage being nobody's attempt",
      file: "apps/email-worker/src/handlers/deliver.ts",
      find: "throw smtpDown(result.reason);",
      replace: "throw refused(result.reason);",
    },
  ],
  async run(t) {
    const [count, downSeconds] = t.sized([10, 5], [100, 60]);
    const stack = await t.open({
      apps: { "email-worker": 1 },
      smtp: {
        behaviour: { kind: "reply", at: "greeting", code: 421, text: "4.3.2 not right now" },
      },
    });
    for (let n = 0; n < count; n++) {
      const { invoice } = await stack.invoice({ rendered: true, email: `nr-${n}@kundin.example` });
      await stack.api.post(`/v1/invoices/${invoice.id}/send`);
    }
    t.tell("mails are asked for, and the server is away");
    await pause(downSeconds * 1_000);
    const tried = stack.smtp.connections;
    const counted = await numberOf(stack.db, sql`job_runs WHERE attempts_made > 0`);
    stack.smtp.behave({ kind: "accept" });
    t.tell("it is back");
    // The gate is probed once a minute by then, and the others follow within the next.
    const doneMs = await untilAllOver(stack.db, 130_000);
    const letters = await numberOf(stack.db, sql`dead_letters`);

    t.figure("mails", stack.smtp.mails.length);
    t.figure("connectionsWhileAway", tried);
    t.figure("doneAfterReturnMs", doneMs ?? -1);
    t.must("every mail goes out", stack.smtp.mails.length === count);
    t.must("none goes out twice", doubledMails(stack) === 0);
    t.must("none dies", letters === 0);
    t.must("no attempt is counted", counted === 0);
    // Five close the server's gate, those under way beside them end, and it is probed eight times in a minute at most.
    t.must("few connections are tried, whatever waits", tried <= MOST_CONNECTIONS);
  },
});
