import { currencyExponent, type IssuedInvoice } from "@ballast/database";
import type { InvoiceDocument } from "./document.ts";
import { addressLines } from "./postal-address.ts";

/**
 * What is printed of an issued invoice: company and customer as they were on that day.
 *
 * @param locale BCP 47 tag of the document, which may differ from the invoice's own
 * @throws {Error} if the invoice has no date of issue, which an issued one always has
 */
export function documentOf(invoice: IssuedInvoice, locale: string): InvoiceDocument {
  const { company, customer, issueDate } = invoice;
  if (issueDate === null) throw new Error(`invoice ${invoice.id} is issued, but without its date`);
  const home = company.address.countryCode;
  // On a letterhead the own country stands only where the letter leaves it.
  const abroad = customer.address.countryCode;
  return {
    company: {
      legalName: company.legalName,
      address: addressLines(company.address, abroad, locale),
      taxIds: company.taxIds,
      ...present("iban", company.iban),
      ...present("bic", company.bic),
      ...present("bankName", company.bankName),
      ...present("email", company.email),
      ...present("phone", company.phone),
      ...present("website", company.website),
      countryCode: home,
    },
    customer: {
      name: customer.name,
      address: addressLines(customer.address, home, locale),
      ...present("taxId", customer.taxId),
    },
    number: invoice.number,
    issueDate,
    ...present("dueDate", invoice.dueDate),
    currency: invoice.currency,
    currencyExponent: currencyExponent(invoice.currency),
    locale,
    lines: invoice.lines.map(({ sku, ...line }) => ({ ...line, ...present("sku", sku) })),
    taxGroups: invoice.taxGroups,
    netMinor: invoice.netMinor,
    taxMinor: invoice.taxMinor,
    grossMinor: invoice.grossMinor,
    ...present("paymentTerms", invoice.paymentTerms),
    ...present("notes", invoice.notes),
  };
}

/** A field of its own name, or no field: the database says `null` where nothing is to be printed. */
const present = <Name extends string>(name: Name, value: string | null) =>
  (value === null || value === "" ? {} : { [name]: value }) as { readonly [K in Name]?: string };
