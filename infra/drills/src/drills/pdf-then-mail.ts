import { rmSync } from "node:fs";
import { join } from "node:path";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import { doubledMails, numberOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import type { Stack } from "../stack/stack.ts";

/** What happens to the PDF while its mail waits for it. */
const FATES = ["rendered", "died", "purged", "lost"] as const;

/** A PDF dies, is purged or lost before its mail goes out: no mail without it, and one mail in all. */
export const pdfThenMail = defineDrill({
  name: "pdf-then-mail",
  promise:
    "the PDF dies, is purged from the queue, or its file is lost: no mail without its PDF, one mail per document",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "the mail being held for its PDF, and looking for it",
      file: "apps/email-worker/src/handlers/send-invoice.ts",
      find: "if (pdf === undefined) throw await wishes.ask({ ...wanted, traceparent });",
      replace: `if (pdf === undefined)
        return await deliver(
          deliverDeps,
          delivery,
          { from: sender, to: recipient, message: write(found, payload.locale, Buffer.from("bm9uZQ==")) },
          { signal, lease },
        );`,
    },
  ],
  async run(t) {
    const each = t.sized(2, 20);
    const stack = await t.open({ apps: { "pdf-worker": 1, "email-worker": 1 } });
    const asked: Array<{ fate: string; id: string; companyId: string }> = [];
    for (const fate of FATES)
      for (let n = 0; n < each; n++) {
        const { invoice } = await stack.invoice({ email: `${fate}-${n}@kundin.example` });
        asked.push({ fate, id: invoice.id, companyId: invoice.companyId });
      }

    t.tell("PDFs whose file is lost before the mail is asked for");
    const lost = asked.filter(({ fate }) => fate === "lost");
    for (const { id } of lost) await stack.api.post(`/v1/invoices/${id}/pdf`);
    await untilAllOver(stack.db, 60_000);
    rmSync(join(stack.folder, "documents"), { recursive: true, force: true });

    t.tell("all mails are asked for; some PDFs die, some are purged from the queue");
    const [pdfWorker] = stack.replicas("pdf-worker");
    await pdfWorker?.stop();
    for (const { id } of asked) await stack.api.post(`/v1/invoices/${id}/send`);
    // A note of the hand-over that came later would undo what is done to the runs below.
    const untold = sql`job_runs WHERE job = 'render-invoice' AND state = 'waiting' AND handed_at IS NULL`;
    await until(async () => (await numberOf(stack.db, untold)) === 0, { deadlineMs: 30_000 });
    await endRuns(
      stack,
      asked.filter(({ fate }) => fate === "died").map(({ id }) => id),
    );
    for (const job of await stack.otherTeam.queue("pdf").getJobs(["waiting", "prioritized"]))
      if (asked.some(({ fate, id }) => fate === "purged" && job.data.payload.invoiceId === id))
        await job.remove();
    // As if the minute had passed after which a run that nobody heard of is looked for.
    await sql`UPDATE job_runs SET touched_at = now() - interval '2 minutes' WHERE state = 'waiting'`.execute(
      stack.db.kysely,
    );
    await stack.start("pdf-worker");
    const mailed = () => stack.smtp.mails.length;
    const expectedFirst = asked.length - each;
    await until(() => mailed() >= expectedFirst, { deadlineMs: t.sized(30_000, 120_000) }).catch(
      () => {},
    );
    const withoutDead = mailed();

    t.tell("the dead PDFs are asked for again");
    for (const { fate, id } of asked)
      if (fate === "died") await stack.api.post(`/v1/invoices/${id}/pdf`);
    await untilAllOver(stack.db, 60_000);

    const withPdf = stack.smtp.mails.filter(({ parsed }) =>
      parsed.attachments.some(({ content }) => content.subarray(0, 5).toString() === "%PDF-"),
    );
    t.figure("invoices", asked.length);
    t.figure("mailsWhileSomePdfsWereDead", withoutDead);
    t.figure("mails", mailed());
    t.figure("mailsWithPdf", withPdf.length);
    t.must("a mail waits for a PDF that died", withoutDead === expectedFirst);
    t.must("every invoice is mailed in the end", mailed() === asked.length);
    t.must("no mail is without its PDF", withPdf.length === mailed());
    t.must("one mail per document", doubledMails(stack) === 0);
  },
});

/** What a handler that can never work would do to them, while no worker is there. */
async function endRuns({ db }: Stack, invoiceIds: readonly string[]): Promise<void> {
  await sql`
    UPDATE job_runs SET state = 'dead', finished_at = now(), error_code = 'drilled', error_message = 'dead on purpose'
    WHERE job = 'render-invoice' AND state = 'waiting' AND payload->>'invoiceId' = ANY(${[...invoiceIds]})`.execute(
    db.kysely,
  );
}
