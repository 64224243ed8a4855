import { doubledMails, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";

/** Somebody clicks fifty times: one mail, and fifty answers that name the same request. */
export const doubleClick = defineDrill({
  name: "double-click",
  promise:
    "50 identical submits, at once and again later, with and without a key: one mail, one request",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "the first request being remembered",
      file: "apps/api/src/jobs/invoice-work.ts",
      find: "const first = resendReason === null ? await firstSend(tx, invoice) : undefined;",
      replace: "const first = undefined as Awaited<ReturnType<typeof firstSend>>;",
    },
  ],
  async run(t) {
    const stack = await t.open({ apps: { api: 2, "pdf-worker": 1, "email-worker": 1 } });
    const { invoice } = await stack.invoice();
    const path = `/v1/invoices/${invoice.id}/send`;
    const click = (headers?: Record<string, string>) => stack.api.post(path, {}, headers);
    const many = (headers?: Record<string, string>) =>
      Promise.all(Array.from({ length: 50 }, () => click(headers)));

    t.tell("fifty clicks at once, without a key, then with one");
    const replies = [...(await many()), ...(await many({ "Idempotency-Key": "drill-1" }))];
    const over = await untilAllOver(stack.db, 30_000);
    t.tell("fifty more after it was sent");
    replies.push(...(await many()), ...(await many({ "Idempotency-Key": "drill-2" })));
    await untilAllOver(stack.db, 30_000);
    const mailsBefore = stack.smtp.mails.length;

    t.tell("sent again on purpose");
    const again = await stack.api.post(path, { resend: true, reason: "the customer lost it" });
    await untilAllOver(stack.db, 30_000);

    const requests = new Set(replies.map(({ body }) => body?.requestId));
    t.figure("clicks", replies.length);
    t.figure("accepted", replies.filter(({ status }) => status === 202).length);
    t.figure("requests", requests.size);
    t.figure("mails", mailsBefore);
    t.figure("mailsAfterResend", stack.smtp.mails.length);
    t.must("the mail goes out within 30 s", over !== undefined);
    t.must(
      "every click is accepted",
      replies.every(({ status }) => status === 202),
    );
    t.must("every answer names the same request", requests.size === 1);
    t.must("one mail goes out", mailsBefore === 1);
    t.must(
      "a resend is a second mail, shown as such",
      again.body?.mail?.ordinal === 2 && stack.smtp.mails.length === 2,
    );
    t.must("no mail is sent twice", doubledMails(stack) === 0);
  },
});
