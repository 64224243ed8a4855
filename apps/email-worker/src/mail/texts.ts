/** What the mail says in one language; values come in as plain text and are escaped by whoever prints them. */
export interface Texts {
  subject(number: string, company: string): string;
  greeting: string;
  intro(number: string, issueDate: string): string;
  amount: string;
  dueDate: string;
  number: string;
  billedTo: string;
  /** Said only where a reply reaches the company. */
  questions: string;
  regards: string;
  /** The attached file is `<this>-<number>.pdf`. */
  fileName: string;
}

const en: Texts = {
  subject: (number, company) => `Invoice ${number} from ${company}`,
  greeting: "Hello,",
  intro: (number, issueDate) => `Please find attached your invoice ${number} of ${issueDate}.`,
  amount: "Amount",
  dueDate: "Due date",
  number: "Invoice no.",
  billedTo: "Billed to",
  questions: "If you have any questions, simply reply to this email.",
  regards: "Kind regards",
  fileName: "Invoice",
};

const de: Texts = {
  subject: (number, company) => `Rechnung ${number} von ${company}`,
  greeting: "Guten Tag,",
  intro: (number, issueDate) => `anbei erhalten Sie Ihre Rechnung ${number} vom ${issueDate}.`,
  amount: "Betrag",
  dueDate: "Fällig am",
  number: "Rechnungs-Nr.",
  billedTo: "Rechnung an",
  questions: "Bei Fragen antworten Sie einfach auf diese E-Mail.",
  regards: "Freundliche Grüße",
  fileName: "Rechnung",
};

const fr: Texts = {
  subject: (number, company) => `Facture ${number} de ${company}`,
  greeting: "Bonjour,",
  intro: (number, issueDate) =>
    `Veuillez trouver ci-joint votre facture ${number} du ${issueDate}.`,
  amount: "Montant",
  dueDate: "Échéance",
  number: "Facture n°",
  billedTo: "Facturé à",
  questions: "Pour toute question, il vous suffit de répondre à cet e-mail.",
  regards: "Cordialement",
  fileName: "Facture",
};

const es: Texts = {
  subject: (number, company) => `Factura ${number} de ${company}`,
  greeting: "Hola:",
  intro: (number, issueDate) => `Adjuntamos su factura ${number} del ${issueDate}.`,
  amount: "Importe",
  dueDate: "Vencimiento",
  number: "N.º de factura",
  billedTo: "Facturado a",
  questions: "Si tiene alguna pregunta, responda a este correo.",
  regards: "Atentamente",
  fileName: "Factura",
};

const LANGUAGES: Readonly<Record<string, Texts>> = { de, en, es, fr };

/**
 * The words for a locale's language; English for one we do not speak, since a mail that cannot be
 * read still carries its invoice.
 *
 * @param locale BCP 47 tag
 */
export function textsFor(locale: string): { readonly language: string; readonly texts: Texts } {
  const language = locale.split("-", 1)[0]?.toLowerCase() ?? "";
  const texts = Object.hasOwn(LANGUAGES, language) ? LANGUAGES[language] : undefined;
  return texts === undefined ? { language: "en", texts: en } : { language, texts };
}
