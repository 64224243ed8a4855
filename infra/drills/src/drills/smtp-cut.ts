import type { SmtpBehaviour } from "@ballast/testing";
import { sql } from "kysely";
import { doubledMails, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import type { Stack } from "../stack/stack.ts";

const CUTS = ["greeting", "rcpt", "data", "body", "message"] as const;
const ONE_SESSION_MS = 3_000;
/** Before the server asks for the message nothing can have left, so these are sent again. */
const BEFORE_354: ReadonlySet<string> = new Set(["greeting", "rcpt", "data"]);

/** The mail server hangs up at every point of a session: what may have left is never sent again by itself. */
export const smtpCut = defineDrill({
  name: "smtp-cut",
  promise:
    "the mail server hangs up at greeting, RCPT, DATA, mid-body, after the body: sent again only where it had not asked for the mail",
  sabotages: [
    {
      without: "the server's 354 telling apart what may have left",
      file: "apps/email-worker/src/smtp/classify.ts",
      find: `if (stage === "message") return { kind: "unknown", reason };`,
      replace: "",
    },
  ],
  async run(t) {
    const each = t.sized(4, 50);
    const stack = await t.open({ apps: { "pdf-worker": 1, "email-worker": 1 } });
    const firstSeen = new Map<string, number>();
    let connections = 0;
    stack.smtp.behave((recipient): SmtpBehaviour => {
      // Every other one, until as many are cut as elsewhere.
      if (recipient === "" && connections < 2 * each && connections++ % 2 === 0)
        return { kind: "drop", at: "greeting" };
      const at = CUTS.find((point) => recipient.startsWith(`${point}-`));
      if (at === undefined || at === "greeting") return { kind: "accept" };
      const seenAt = firstSeen.get(recipient) ?? performance.now();
      firstSeen.set(recipient, seenAt);
      // Asked at each point of one session; the next comes after 5 s at the earliest.
      return performance.now() - seenAt < ONE_SESSION_MS
        ? { kind: "drop", at }
        : { kind: "accept" };
    });
    // Others go well in between: a server that does nothing but hang up is not asked at all, by its gate.
    for (const at of CUTS)
      for (let n = 0; n < each; n++)
        for (const recipient of [`${at}-${n}`, `well-${at}-${n}`]) {
          const { invoice } = await stack.invoice({ email: `${recipient}@kundin.example` });
          await stack.api.post(`/v1/invoices/${invoice.id}/send`);
        }

    t.tell("the server hangs up on each mail once");
    await untilAllOver(stack.db, t.sized(60_000, 600_000));
    const states = await statesByCut(stack);
    const unknown = CUTS.reduce((sum, at) => sum + (states[`${at} unknown`] ?? 0), 0);

    t.figure("mailsPerPoint", each);
    for (const [name, count] of Object.entries(states)) t.figure(name, count);
    t.figure("mails", stack.smtp.mails.length);
    for (const at of CUTS)
      t.must(
        BEFORE_354.has(at)
          ? `a mail that was cut at ${at} is sent`
          : `a mail that was cut at ${at} is a question to a person`,
        states[`${at} ${BEFORE_354.has(at) ? "sent" : "unknown"}`] === each,
      );
    t.must("no mail is there twice", doubledMails(stack) === 0);
    t.must(
      "each open question is a dead letter with its code",
      (await openQuestions(stack)) === unknown,
    );
  },
});

async function statesByCut({ db }: Stack): Promise<Record<string, number>> {
  const { rows } = await sql<{ name: string; n: number }>`
    SELECT split_part(recipient, '-', 1) || ' ' || state AS name, count(*)::int AS n
    FROM email_deliveries GROUP BY 1 ORDER BY 1`.execute(db.kysely);
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
}

async function openQuestions({ db }: Stack): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*)::int AS n FROM dead_letters WHERE code = 'outcome_unknown' AND state = 'open'`.execute(
    db.kysely,
  );
  return rows[0]?.n ?? 0;
}
