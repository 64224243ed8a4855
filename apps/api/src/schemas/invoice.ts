import { InvoiceLocale } from "@ballast/contracts";
import type { InvoiceLine, InvoiceWithLines } from "@ballast/database";
import { z } from "zod";
import { currency } from "./currency.ts";
import { owner } from "./customer.ts";
import { checkAmounts, MAX_MINOR, quantity, taxRate } from "./invoice-amounts.ts";
import { day, line, moment, optional, paragraph, uuid } from "./text.ts";

/** What one PDF and one printed page count in four digits can still hold. */
const MAX_LINES = 10_000;

const minor = z.int().min(-MAX_MINOR).max(MAX_MINOR);

const lineFacts = {
  sku: optional(line(64)),
  description: line(500).meta({ example: "Ballast stone, 20 kg" }),
  quantity,
  unit: line(20).default("pcs").meta({ example: "pcs" }),
  unitPriceMinor: minor.meta({
    description: "In minor units of the invoice's currency: cents, yen, fils.",
    example: 1995,
  }),
  taxRate,
};

const LineInput = z.strictObject(lineFacts).meta({ id: "InvoiceLineInput" });

export const InvoiceInput = z
  .strictObject({
    ...owner,
    customerId: uuid("A customer of the same company"),
    currency: currency.optional().meta({ description: "The company's, unless given." }),
    locale: InvoiceLocale.optional().meta({ description: "The customer's, unless given." }),
    issueDate: optional(day).meta({ description: "The day it is issued, unless given." }),
    dueDate: optional(day),
    paymentTerms: optional(paragraph(500)).meta({ example: "Payable within 30 days." }),
    notes: optional(paragraph(2_000)),
    lines: z.array(LineInput).max(MAX_LINES),
  })
  .superRefine(checkAmounts)
  .refine(({ issueDate, dueDate }) => !issueDate || !dueDate || issueDate <= dueDate, {
    path: ["dueDate"],
    error: "must not be before issueDate",
  })
  .meta({ id: "InvoiceInput" });

export const InvoiceState = z.enum(["draft", "issued", "paid", "void"]);

const head = {
  id: uuid("The invoice"),
  companyId: uuid("The company"),
  customerId: uuid("The customer"),
  state: InvoiceState,
  number: z.string().nullable().meta({
    description: "Without gaps within the company; `null` while it is a draft.",
    example: "R-000042",
  }),
  revision: z.int().min(0),
  currency,
  locale: z.string(),
  issueDate: day.nullable(),
  dueDate: day.nullable(),
  paymentTerms: z.string().nullable(),
  notes: z.string().nullable(),
  netMinor: z.int(),
  taxMinor: z.int(),
  grossMinor: z.int(),
  issuedAt: moment.nullable(),
  paidAt: moment.nullable(),
  voidedAt: moment.nullable(),
  createdAt: moment,
  updatedAt: moment,
};

const InvoiceHeadBody = z.object(head).meta({ id: "InvoiceHead" });

export const InvoiceBody = z
  .object({
    ...head,
    lines: z.array(
      z
        .object({ position: z.int().positive(), ...lineFacts, netMinor: z.int() })
        .meta({ id: "InvoiceLine" }),
    ),
    taxGroups: z
      .array(z.object({ taxRate, netMinor: z.int(), taxMinor: z.int() }))
      .meta({ description: "Totals by tax rate, highest first; they add up to the invoice's." }),
  })
  .meta({ id: "Invoice" });

export const InvoiceListBody = z.object({
  invoices: z.array(InvoiceHeadBody),
  nextCursor: z.string().nullable().meta({ description: "`null` on the last page." }),
});

type Minor = "netMinor" | "taxMinor" | "grossMinor";

/** Amounts lie below 2^53, so a JSON number holds them exactly. */
export const invoiceHeadBody = <T extends Record<Minor, bigint>>(invoice: T) => ({
  ...invoice,
  netMinor: Number(invoice.netMinor),
  taxMinor: Number(invoice.taxMinor),
  grossMinor: Number(invoice.grossMinor),
});

export const invoiceBody = (invoice: InvoiceWithLines) => ({
  ...invoiceHeadBody(invoice),
  lines: invoice.lines.map(lineBody),
  taxGroups: invoice.taxGroups.map((group) => ({
    ...group,
    netMinor: Number(group.netMinor),
    taxMinor: Number(group.taxMinor),
  })),
});

const lineBody = (line: InvoiceLine) => ({
  ...line,
  unitPriceMinor: Number(line.unitPriceMinor),
  netMinor: Number(line.netMinor),
});
