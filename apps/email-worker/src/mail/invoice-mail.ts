import { formatDay, formatMoney } from "./formats.ts";
import { oneLine } from "./headers.ts";
import { type MailHtmlRow, mailHtml } from "./html.ts";
import { textsFor } from "./texts.ts";

/** What a mail tells of an invoice. Every string may be hostile. */
export interface InvoiceFacts {
  /** BCP 47 tag; its language picks the words, the whole of it the formats. */
  readonly locale: string;
  readonly number: string;
  /** `YYYY-MM-DD`. */
  readonly issueDate: string;
  /** `YYYY-MM-DD`; `null` where nothing is due. */
  readonly dueDate: string | null;
  /** In minor units of `currency`. */
  readonly grossMinor: bigint;
  /** ISO 4217. */
  readonly currency: string;
  readonly currencyExponent: number;
  readonly company: {
    readonly legalName: string;
    /** Replies go here; `null`: the mail does not ask for any. */
    readonly email: string | null;
    readonly phone: string | null;
    readonly website: string | null;
  };
  readonly customerName: string;
}

export interface MailWords {
  readonly language: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface InvoiceMail extends MailWords {
  readonly fileName: string;
}

/** Word the mail that carries an invoice, in its customer's language. */
export function invoiceMail(facts: InvoiceFacts): InvoiceMail {
  const { texts } = textsFor(facts.locale);
  const number = oneLine(facts.number);
  const words = mailAbout(facts, {
    subject: texts.subject(number, oneLine(facts.company.legalName)),
    intro: texts.intro(number, formatDay(facts.issueDate, facts.locale)),
  });
  return {
    ...words,
    fileName: `${texts.fileName}-${number.replace(/[\s/\\:*?"<>|]+/g, "-")}.pdf`,
  };
}

/** The amount as its customer writes it. */
export const amountOf = ({ grossMinor, currency, currencyExponent, locale }: InvoiceFacts) =>
  formatMoney(grossMinor, currency, currencyExponent, locale);

/** Set a mail about an invoice: what it says first, then amount, due date and whom to ask. */
export function mailAbout(
  facts: InvoiceFacts,
  { subject, intro }: { readonly subject: string; readonly intro: string },
): MailWords {
  const { language, texts } = textsFor(facts.locale);
  const rows: MailHtmlRow[] = [
    { label: texts.number, value: oneLine(facts.number) },
    ...(facts.dueDate === null
      ? []
      : [{ label: texts.dueDate, value: formatDay(facts.dueDate, facts.locale) }]),
    { label: texts.billedTo, value: oneLine(facts.customerName) },
  ];
  const contact = [facts.company.email, facts.company.phone, facts.company.website]
    .map((line) => oneLine(line ?? ""))
    .filter((line) => line !== "");
  const body = {
    language,
    title: subject,
    company: oneLine(facts.company.legalName),
    greeting: texts.greeting,
    intro,
    amount: { label: texts.amount, value: amountOf(facts) },
    rows,
    questions: facts.company.email === null ? undefined : texts.questions,
    regards: texts.regards,
    contact,
  };
  return { language, subject, text: mailText(body), html: mailHtml(body) };
}

function mailText(body: Parameters<typeof mailHtml>[0]): string {
  const rows = [body.amount, ...body.rows];
  const width = Math.max(...rows.map(({ label }) => label.length)) + 2;
  return [
    body.greeting,
    "",
    body.intro,
    "",
    ...rows.map(({ label, value }) => `${`${label}:`.padEnd(width)}${value}`),
    "",
    ...(body.questions === undefined ? [] : [body.questions, ""]),
    body.regards,
    body.company,
    ...(body.contact.length === 0 ? [] : ["", ...body.contact]),
    "",
  ].join("\n");
}
