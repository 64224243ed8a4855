import type { Company } from "./companies.ts";
import type { Customer } from "./customers.ts";
import type { Queryable } from "./database.ts";
import type { Delivery } from "./deliveries.ts";
import type { Document } from "./documents.ts";
import { INVOICE_HEAD, type Invoice } from "./invoices.ts";

/** What a mail about an invoice is made of, as it stands now. */
export interface MailFacts {
  readonly invoice: Invoice;
  readonly company: Pick<
    Company,
    "legalName" | "email" | "phone" | "website" | "mailFromName" | "mailFromAddress"
  >;
  readonly customer: Pick<Customer, "name" | "email">;
  /** All mails of the invoice, oldest first. */
  readonly deliveries: readonly Delivery[];
  /** All of its renderings. */
  readonly documents: readonly Document[];
}

/** Find the facts of many invoices, of whichever company; in their order, `undefined` for one that is not there. */
export async function findMailFacts(
  db: Queryable,
  invoiceIds: readonly string[],
): Promise<Array<MailFacts | undefined>> {
  const ids = [...new Set(invoiceIds)];
  const [rows, deliveries, documents] = await Promise.all([
    db
      .selectFrom("invoices as i")
      .innerJoin("companies as c", "c.id", "i.companyId")
      .innerJoin("customers as u", "u.id", "i.customerId")
      .select(INVOICE_HEAD.map((column) => `i.${column}` as const))
      .select(["u.name as customerName", "u.email as customerEmail"])
      .select([
        "c.legalName",
        "c.email as companyEmail",
        "c.phone",
        "c.website",
        "c.mailFromName",
        "c.mailFromAddress",
      ])
      .where("i.id", "in", ids)
      .execute(),
    db
      .selectFrom("invoices as i")
      .innerJoin("emailDeliveries as d", (join) =>
        join.onRef("d.companyId", "=", "i.companyId").onRef("d.invoiceId", "=", "i.id"),
      )
      .selectAll("d")
      .where("i.id", "in", ids)
      .orderBy("d.createdAt")
      .orderBy("d.ordinal")
      .execute(),
    db.selectFrom("documents").selectAll().where("invoiceId", "in", ids).execute(),
  ]);
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  const mailsOf = Map.groupBy(deliveries, ({ invoiceId }) => invoiceId);
  const documentsOf = Map.groupBy(documents, ({ invoiceId }) => invoiceId);
  return invoiceIds.map((id) => {
    const row = rowOf.get(id);
    if (row === undefined) return undefined;
    const { customerName, customerEmail, legalName, companyEmail, ...others } = row;
    const { phone, website, mailFromName, mailFromAddress, ...invoice } = others;
    return {
      invoice,
      company: { legalName, email: companyEmail, phone, website, mailFromName, mailFromAddress },
      customer: { name: customerName, email: customerEmail },
      deliveries: mailsOf.get(id) ?? [],
      documents: documentsOf.get(id) ?? [],
    };
  });
}
