import { z } from "zod";
import { AddressSchema } from "./address.ts";
import { currency } from "./currency.ts";
import { line, mailAddress, moment, optional, uuid, webAddress } from "./text.ts";
import { timeZone } from "./time-zone.ts";

const iban = z
  .string()
  .max(42)
  .overwrite((text) => text.replaceAll(" ", "").toUpperCase())
  .refine(isIban, "must be an IBAN whose check digits are right")
  .meta({ example: "DE89370400440532013000" });

const facts = {
  legalName: line(200).meta({ example: "Nordlicht Handels GmbH" }),
  address: AddressSchema,
  taxIds: z
    .array(z.strictObject({ label: line(40), value: line(40) }))
    .max(5)
    .default([])
    .meta({ example: [{ label: "USt-IdNr.", value: "DE123456789" }] }),
  iban: optional(iban),
  bic: optional(
    z.string().regex(/^[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?$/, "must be a BIC of 8 or 11 characters"),
  ),
  bankName: optional(line(100)),
  currency: currency.meta({ description: "What new invoices are in unless they say otherwise." }),
  timeZone: timeZone.meta({ description: "Decides which day it is when an invoice is issued." }),
  email: optional(mailAddress),
  phone: optional(line(40)),
  website: optional(webAddress(200)),
  mailFromName: line(100).meta({ description: "Who invoices are mailed from." }),
  mailFromAddress: mailAddress,
  numberPrefix: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9./_-]{0,19}$/, "must be 1 to 20 of A–Z a–z 0–9 . / _ -")
    .meta({ description: "Comes before the digits of an invoice number.", example: "R-" }),
};

export const CompanyInput = z.strictObject(facts).meta({ id: "CompanyInput" });

export const CompanyBody = z
  .object({
    id: uuid("The company"),
    ...facts,
    paper: z.enum(["A4", "Letter"]).meta({ description: "What its documents are printed on." }),
    nextInvoiceNumber: z.int().positive(),
    createdAt: moment,
    updatedAt: moment,
  })
  .meta({ id: "Company" });

/** @see ISO 13616-1: the digits of the rearranged number, mod 97, are 1 */
function isIban(text: string): boolean {
  if (!/^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$/.test(text)) return false;
  const rearranged = text.slice(4) + text.slice(0, 4);
  const digits = [...rearranged].map((char) => Number.parseInt(char, 36)).join("");
  return BigInt(digits) % 97n === 1n;
}
