/** Every word the design prints by itself. */
export interface Labels {
  readonly invoice: string;
  readonly invoiceNumber: string;
  readonly issueDate: string;
  readonly dueDate: string;
  readonly amountDue: string;
  readonly billTo: string;
  readonly taxId: string;
  readonly position: string;
  readonly description: string;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly tax: string;
  readonly net: string;
  readonly netTotal: string;
  /** `{rate}` stands for the formatted percentage, `{net}` for what it is charged on. */
  readonly taxOn: string;
  readonly total: string;
  readonly payment: string;
  readonly bankDetails: string;
  readonly paymentTerms: string;
  readonly reference: string;
  readonly bank: string;
  readonly notes: string;
  /** `{page}` and `{pages}` stand for the two numbers. */
  readonly pageOf: string;
}

const en: Labels = {
  invoice: "Invoice",
  invoiceNumber: "Invoice no.",
  issueDate: "Invoice date",
  dueDate: "Due date",
  amountDue: "Amount due",
  billTo: "Bill to",
  taxId: "Tax ID",
  position: "No.",
  description: "Description",
  quantity: "Quantity",
  unitPrice: "Unit price",
  tax: "Tax",
  net: "Net",
  netTotal: "Net total",
  taxOn: "Tax {rate} on {net}",
  total: "Total",
  payment: "Payment",
  bankDetails: "Bank details",
  paymentTerms: "Payment terms",
  reference: "Reference",
  bank: "Bank",
  notes: "Notes",
  pageOf: "Page {page} of {pages}",
};

const de: Labels = {
  invoice: "Rechnung",
  invoiceNumber: "Rechnungs-Nr.",
  issueDate: "Rechnungsdatum",
  dueDate: "Fällig am",
  amountDue: "Zu zahlen",
  billTo: "Rechnung an",
  taxId: "USt-IdNr.",
  position: "Pos.",
  description: "Beschreibung",
  quantity: "Menge",
  unitPrice: "Einzelpreis",
  tax: "USt.",
  net: "Netto",
  netTotal: "Nettobetrag",
  taxOn: "USt. {rate} auf {net}",
  total: "Gesamtbetrag",
  payment: "Zahlung",
  bankDetails: "Bankverbindung",
  paymentTerms: "Zahlungsbedingungen",
  reference: "Verwendungszweck",
  bank: "Bank",
  notes: "Hinweise",
  pageOf: "Seite {page} von {pages}",
};

const fr: Labels = {
  invoice: "Facture",
  invoiceNumber: "Facture n°",
  issueDate: "Date de facture",
  dueDate: "Échéance",
  amountDue: "Montant dû",
  billTo: "Facturé à",
  taxId: "N° TVA",
  position: "N°",
  description: "Désignation",
  quantity: "Quantité",
  unitPrice: "Prix unitaire",
  tax: "TVA",
  net: "Montant HT",
  netTotal: "Total HT",
  taxOn: "TVA {rate} sur {net}",
  total: "Total TTC",
  payment: "Règlement",
  bankDetails: "Coordonnées bancaires",
  paymentTerms: "Conditions de paiement",
  reference: "Référence",
  bank: "Banque",
  notes: "Remarques",
  pageOf: "Page {page} sur {pages}",
};

const es: Labels = {
  invoice: "Factura",
  invoiceNumber: "N.º de factura",
  issueDate: "Fecha de factura",
  dueDate: "Vencimiento",
  amountDue: "Importe a pagar",
  billTo: "Facturar a",
  taxId: "NIF/IVA",
  position: "N.º",
  description: "Descripción",
  quantity: "Cantidad",
  unitPrice: "Precio unitario",
  tax: "IVA",
  net: "Importe neto",
  netTotal: "Base imponible",
  taxOn: "IVA {rate} sobre {net}",
  total: "Total",
  payment: "Pago",
  bankDetails: "Datos bancarios",
  paymentTerms: "Condiciones de pago",
  reference: "Concepto",
  bank: "Banco",
  notes: "Observaciones",
  pageOf: "Página {page} de {pages}",
};

const DICTIONARY = { de, en, es, fr };

export type Language = keyof typeof DICTIONARY;

/** The languages the design speaks. */
export const LANGUAGES: readonly Language[] = ["de", "en", "es", "fr"];

/**
 * The labels of a locale's language.
 *
 * @param locale BCP 47 tag, e.g. `de-AT`
 * @throws {RangeError} if the design does not speak its language: a wrong one would mislead more than none
 */
export function labelsFor(locale: string): Labels {
  const { language } = new Intl.Locale(locale);
  const spoken = LANGUAGES.find((candidate) => candidate === language);
  if (spoken === undefined)
    throw new RangeError(
      `no invoice labels for locale "${locale}"; the design speaks ${LANGUAGES.join(", ")}`,
    );
  return DICTIONARY[spoken];
}
