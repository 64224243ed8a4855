import { InvoiceLocale } from "@ballast/contracts";
import { z } from "zod";
import { AddressSchema } from "./address.ts";
import { line, mailAddress, moment, optional, uuid } from "./text.ts";

const facts = {
  name: line(200).meta({ example: "Müller & Söhne KG" }),
  address: AddressSchema,
  email: optional(mailAddress).meta({
    description: "Where invoices go; without it none is mailed.",
  }),
  locale: InvoiceLocale.meta({ description: "Language of documents and mails.", example: "de-DE" }),
  taxId: optional(line(40)).meta({ example: "DE987654321" }),
};

/** A key that reaches all companies names the one it means; any other key may leave it out. */
export const owner = {
  companyId: uuid("The company; a key that reaches one company may leave it out").optional(),
};

export const CustomerInput = z.strictObject({ ...owner, ...facts }).meta({ id: "CustomerInput" });

export const CustomerBody = z
  .object({
    id: uuid("The customer"),
    companyId: uuid("The company"),
    ...facts,
    createdAt: moment,
    updatedAt: moment,
  })
  .meta({ id: "Customer" });

const count = z.int().min(0);

export const ErasureBody = z
  .object({
    customerId: uuid("The customer, of whom nothing but this is left"),
    invoicesKept: count.meta({ description: "Issued ones, with their documents." }),
    draftsDeleted: count,
    mailsErased: count,
    lettersErased: count,
    jobsCancelled: count,
  })
  .meta({ id: "Erasure" });
