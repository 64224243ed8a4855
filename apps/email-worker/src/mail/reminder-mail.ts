import type { ReminderStep, ReminderTemplate } from "@ballast/database";
import { formatDay } from "./formats.ts";
import { oneLine } from "./headers.ts";
import { amountOf, type InvoiceFacts, type MailWords, mailAbout } from "./invoice-mail.ts";
import { textsFor } from "./texts.ts";

interface ReminderTexts {
  subject(number: string): string;
  intro(number: string, dueDate: string): string;
}

type Reminders = Readonly<Record<ReminderStep, ReminderTexts>>;

const en: Reminders = {
  before: {
    subject: (number) => `Invoice ${number} is due soon`,
    intro: (number, dueDate) =>
      `this is a friendly reminder that invoice ${number} is due on ${dueDate}. If you have paid already, thank you: nothing is left to do.`,
  },
  after: {
    subject: (number) => `Invoice ${number} is overdue`,
    intro: (number, dueDate) =>
      `invoice ${number} was due on ${dueDate}, and we have not seen your payment yet. If it has crossed this mail, please disregard it.`,
  },
};

const de: Reminders = {
  before: {
    subject: (number) => `Rechnung ${number} wird bald fällig`,
    intro: (number, dueDate) =>
      `wir erinnern Sie freundlich daran, dass die Rechnung ${number} am ${dueDate} fällig wird. Falls Sie schon bezahlt haben, danken wir Ihnen: es bleibt nichts zu tun.`,
  },
  after: {
    subject: (number) => `Zahlungserinnerung zur Rechnung ${number}`,
    intro: (number, dueDate) =>
      `die Rechnung ${number} war am ${dueDate} fällig, und wir konnten noch keinen Zahlungseingang feststellen. Hat sich Ihre Zahlung mit dieser Mail überschnitten, betrachten Sie sie bitte als gegenstandslos.`,
  },
};

const fr: Reminders = {
  before: {
    subject: (number) => `La facture ${number} arrive à échéance`,
    intro: (number, dueDate) =>
      `nous vous rappelons que la facture ${number} arrive à échéance le ${dueDate}. Si vous l'avez déjà réglée, nous vous en remercions : il n'y a rien d'autre à faire.`,
  },
  after: {
    subject: (number) => `Rappel de paiement de la facture ${number}`,
    intro: (number, dueDate) =>
      `la facture ${number} était due le ${dueDate} et nous n'avons pas encore reçu votre paiement. S'il a croisé ce message, veuillez ne pas en tenir compte.`,
  },
};

const es: Reminders = {
  before: {
    subject: (number) => `La factura ${number} vence pronto`,
    intro: (number, dueDate) =>
      `le recordamos que la factura ${number} vence el ${dueDate}. Si ya la ha pagado, se lo agradecemos: no tiene que hacer nada más.`,
  },
  after: {
    subject: (number) => `Recordatorio de pago de la factura ${number}`,
    intro: (number, dueDate) =>
      `la factura ${number} venció el ${dueDate} y aún no hemos recibido su pago. Si se ha cruzado con este mensaje, no lo tenga en cuenta.`,
  },
};

const REMINDERS: Readonly<Record<string, Reminders>> = { de, en, es, fr };

/** Word a reminder: in the company's own words if it has any, else in ours, in the customer's language. */
export function reminderMail(
  facts: InvoiceFacts & { readonly dueDate: string },
  step: ReminderStep,
  template: ReminderTemplate | undefined,
): MailWords {
  const number = oneLine(facts.number);
  const dueDate = formatDay(facts.dueDate, facts.locale);
  if (template !== undefined) {
    const values = {
      number,
      dueDate,
      amount: amountOf(facts),
      customer: oneLine(facts.customerName),
      company: oneLine(facts.company.legalName),
    };
    return mailAbout(facts, {
      subject: oneLine(filled(template.subject, values)),
      intro: filled(template.text, values),
    });
  }
  const texts = (REMINDERS[textsFor(facts.locale).language] ?? en)[step];
  return mailAbout(facts, { subject: texts.subject(number), intro: texts.intro(number, dueDate) });
}

/** Once: what a value holds is no place of its own. */
const filled = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replace(/\{(\w+)\}/g, (place, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? "") : place,
  );
