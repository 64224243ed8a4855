import { type PayloadOf, paymentReminder, type ResultOf } from "@ballast/contracts";
import {
  currencyExponent,
  type Database,
  dayIn,
  findCompany,
  findInvoiceHead,
  findReminderSettings,
  type Invoice,
  isTooLate,
  type ReminderSettings,
  type ReminderTemplate,
  reminderPurpose,
} from "@ballast/database";
import { type Handler, handle, type RemoteGuard } from "@ballast/jobs";
import { mimeMessage } from "../mail/message.ts";
import { reminderMail } from "../mail/reminder-mail.ts";
import type { SendResult } from "../smtp/classify.ts";
import type { Mailer } from "../smtp/mailer.ts";
import { decided, deliver, suppress } from "./deliver.ts";
import { findInvoiceToMail, type InvoiceToMail } from "./invoice-to-mail.ts";
import { openMailLedger } from "./mail-ledger.ts";

export interface PaymentReminderDeps {
  readonly database: Database;
  readonly mailer: Mailer;
  /** The gate of the mail server. */
  readonly guard: RemoteGuard;
  readonly onResult?: (kind: SendResult["kind"]) => void;
}

type Reminder = PayloadOf<typeof paymentReminder>;
type Outcome = ResultOf<typeof paymentReminder>;

/**
 * Remind a customer, if that is still wanted: the invoice is looked at as it stands now, since this was asked for
 * long ago. Repeatable at any point, by the ledger of mails.
 */
export function paymentReminderHandler(deps: PaymentReminderDeps): Handler {
  const db = deps.database.kysely;
  const ledger = openMailLedger(db);
  return handle(paymentReminder, async ({ payload, signal, log, lease, companyId }) => {
    const { invoiceId, dueDate, step } = payload;
    const scope = companyId ?? "all";
    const invoice = await findInvoiceHead(db, scope, invoiceId);
    const settings = invoice && (await findReminderSettings(db, invoice.companyId));
    const company = invoice && (await findCompany(db, scope, invoice.companyId));
    const needless =
      invoice &&
      settings &&
      company &&
      whyNeedless(invoice, settings, payload, dayIn(company.timeZone, new Date()));
    if (needless !== undefined) {
      log.info({ invoiceId, dueDate, step, outcome: needless }, "nobody needs this reminder");
      return { outcome: needless, deliveryId: null, messageId: null };
    }

    const purpose = reminderPurpose(step, dueDate);
    const found = await findInvoiceToMail(ledger, scope, { invoiceId, purpose, ordinal: 1 });
    const { delivery, sender, recipient, suppressedBecause } = found;
    const sent = ({
      deliveryId,
      messageId,
    }: {
      deliveryId: string;
      messageId: string;
    }): Outcome => ({
      outcome: "sent",
      deliveryId,
      messageId,
    });
    const done = decided(delivery);
    if (done !== undefined) return sent(done);
    if (suppressedBecause !== undefined)
      return sent(await suppress(ledger, delivery, suppressedBecause));

    const message = write(found, dueDate, step, settings?.templates[step]);
    const mail = { from: sender, to: recipient, message };
    const result = await deliver({ ...deps, ledger }, delivery, mail, { signal, lease });
    log.info({ deliveryId: delivery.id, messageId: delivery.messageId, step }, "reminder mailed");
    return sent(result);
  });
}

/**
 * Why a reminder that was asked for is not wanted any more; `undefined` if it is.
 *
 * @param today of the company, `YYYY-MM-DD`
 */
export function whyNeedless(
  { state, dueDate }: Pick<Invoice, "state" | "dueDate">,
  { beforeDays, afterDays }: Pick<ReminderSettings, "beforeDays" | "afterDays">,
  asked: Pick<Reminder, "dueDate" | "step">,
  today: string,
): Exclude<Outcome["outcome"], "sent"> | undefined {
  if (state === "paid" || state === "void") return state;
  // Whoever moved the date asked for the reminder of the new one.
  if (dueDate !== asked.dueDate) return "moved";
  if ((asked.step === "before" ? beforeDays : afterDays) === null) return "off";
  if (isTooLate(asked.step, asked.dueDate, today)) return "overdue";
  return undefined;
}

function write(
  { invoice, company, customer, sender, recipient, replyTo, delivery }: InvoiceToMail,
  dueDate: string,
  step: Reminder["step"],
  template: ReminderTemplate | undefined,
): Buffer[] {
  const facts = {
    locale: invoice.locale,
    number: invoice.number,
    issueDate: invoice.issueDate,
    dueDate,
    grossMinor: invoice.grossMinor,
    currency: invoice.currency,
    currencyExponent: currencyExponent(invoice.currency),
    company: {
      legalName: company.legalName,
      email: replyTo ?? null,
      phone: company.phone,
      website: company.website,
    },
    customerName: customer.name,
  };
  return mimeMessage({
    ...reminderMail(facts, step, template),
    from: { name: company.mailFromName, address: sender },
    to: recipient,
    replyTo: replyTo === undefined ? undefined : { name: company.legalName, address: replyTo },
    date: new Date(),
    messageId: delivery.messageId,
    pdf: undefined,
  });
}
