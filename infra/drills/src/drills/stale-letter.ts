import { sql } from "kysely";
import { numberOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";

/** A letter of last week is replayed: it works on the data of today. */
export const staleLetter = defineDrill({
  name: "stale-letter",
  promise: "the record changes, then a week-old letter is replayed: it works on the data of today",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "handlers that read the record afresh",
      file: "apps/email-worker/src/handlers/send-invoice.ts",
      find: "customerName: customer.name,",
      replace: 'customerName: "The Name of Last Week",',
    },
  ],
  async run(t) {
    const stack = await t.open();
    const { invoice, customer } = await stack.invoice({
      name: "The Name of Last Week",
      rendered: true,
    });
    const asked = await stack.api.post(`/v1/invoices/${invoice.id}/send`);
    t.tell("the mail dies, and a week goes by");
    await sql`
      UPDATE job_runs SET state = 'dead', finished_at = now() - interval '7 days',
        error_code = 'drilled', error_message = 'dead on purpose'
      WHERE id = ${asked.body.runId}`.execute(stack.db.kysely);
    const { id, companyId, email, locale, address } = customer;
    const changed = await stack.api.put(`/v1/customers/${id}`, {
      companyId,
      name: "The Name of Today",
      email,
      locale,
      address,
    });

    t.tell("the letter is replayed");
    const letter = await stack.api.get(`/v1/dead-letters/${asked.body.runId}`);
    const replayed = await stack.api.post(`/v1/dead-letters/${asked.body.runId}/replay`, {
      reason: "a week later",
    });
    await stack.start("email-worker");
    await untilAllOver(stack.db, 30_000);
    const [mail] = stack.smtp.mails;
    const text = `${mail?.parsed.text} ${mail?.parsed.html}`;

    t.figure("mails", stack.smtp.mails.length);
    t.figure("generation", replayed.body?.generation ?? 0);
    t.must("the customer is changed", changed.status === 200);
    t.must("the letter says that it may be replayed", letter.body?.actions?.[0]?.allowed === true);
    t.must("the replay is a second generation", replayed.body?.generation === 2);
    t.must("the mail goes out, once", stack.smtp.mails.length === 1);
    t.must("it speaks of today", text.includes("The Name of Today"));
    t.must("it does not speak of last week", !text.includes("The Name of Last Week"));
    t.must(
      "the letter is settled by its replay",
      (await numberOf(stack.db, sql`dead_letters WHERE state = 'replayed'`)) === 1,
    );
  },
});
