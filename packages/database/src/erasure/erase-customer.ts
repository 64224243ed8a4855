import { customerFacts } from "../customers.ts";
import type { Tx } from "../database.ts";
import { recordAction } from "../operator-actions.ts";
import type { CompanyScope } from "../scope.ts";
import { eraseFacts } from "./facts.ts";
import { eraseMails } from "./mails.ts";
import { eraseMentions } from "./mentions.ts";
import { addressesOf, type Theirs } from "./theirs.ts";
import { eraseWords } from "./words.ts";
import { cancelWork, closeLetters, type StaleCopy, workerBusyWith } from "./work.ts";

/** What an erasure kept, since the law demands it, and what it took away. */
export interface Erasure {
  /** Paid or void: kept with their documents, without the mail address. */
  readonly invoicesKept: number;
  readonly draftsDeleted: number;
  readonly mailsErased: number;
  readonly lettersErased: number;
  readonly jobsCancelled: number;
}

/**
 * Forget a customer: who they are, where their mail went, and what errors, answers and dead letters said of it.
 * Repeatable.
 *
 * Issued invoices and their documents stay as they were issued, and so do codes, times and counts.
 *
 * @returns `undefined` if there is no such customer in scope
 * @throws {CustomerInUseError} while they owe something, or a worker has one of their jobs
 */
export async function eraseCustomer(
  tx: Tx,
  scope: CompanyScope,
  customerId: string,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<{ erasure: Erasure; stale: readonly StaleCopy[] } | undefined> {
  const customer = await tx
    .selectFrom("customers")
    .selectAll()
    .where("id", "=", customerId)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .forUpdate()
    .executeTakeFirst();
  if (customer === undefined) return undefined;
  const theirs = await lockTheirs(tx, scope, customer);
  const busy = await workerBusyWith(tx, theirs);
  if (busy !== undefined) throw new CustomerInUseError(customerId, busy);

  const { cancelled, stale } = await cancelWork(tx, theirs);
  const letters = await closeLetters(tx, theirs, { by, reason });
  await eraseWords(tx, theirs);
  await eraseMentions(tx, theirs);
  const mailsErased = await eraseMails(tx, theirs, customerId);
  const draftsDeleted = await eraseFacts(tx, theirs, customerFacts(customer));
  const erasure: Erasure = {
    invoicesKept: theirs.invoiceIds.length - draftsDeleted,
    draftsDeleted,
    mailsErased,
    lettersErased: letters,
    jobsCancelled: cancelled,
  };
  await recordAction(tx, {
    actor: by,
    action: "erase-customer",
    targetKind: "customer",
    targetId: customerId,
    companyId: customer.companyId,
    subject: `customer:${customerId}`,
    reason,
    before: null, // an audit that kept what was erased would be no erasure
    after: erasure,
  });
  return { erasure, stale };
}

export class CustomerInUseError extends Error {
  override readonly name = "CustomerInUseError";

  constructor(customerId: string, why: string) {
    super(`customer ${customerId} cannot be erased: ${why}`);
  }
}

/** @throws {CustomerInUseError} if they owe something */
async function lockTheirs(
  tx: Tx,
  scope: CompanyScope,
  customer: { readonly id: string; readonly companyId: string; readonly email: string | null },
): Promise<Theirs> {
  const invoices = await tx
    .selectFrom("invoices")
    .select(["id", "state", "number"])
    .where("companyId", "=", customer.companyId)
    .where("customerId", "=", customer.id)
    .orderBy("id")
    .forUpdate()
    .execute();
  const owed = invoices.filter(({ state }) => state === "issued");
  if (owed.length > 0) throw new CustomerInUseError(customer.id, owedWords(owed));
  const invoiceIds = invoices.map(({ id }) => id);
  return {
    companyId: customer.companyId,
    scope,
    invoiceIds,
    subjects: invoiceIds.map((id) => `invoice:${id}`),
    addresses: await addressesOf(tx, invoiceIds, customer.email),
  };
}

function owedWords(owed: ReadonlyArray<{ number: string | null }>): string {
  const some = owed.slice(0, 5).map(({ number }) => number);
  const more = owed.length > some.length ? ` and ${owed.length - some.length} more` : "";
  return `invoices ${some.join(", ")}${more} are not paid: mark them paid, or void them, first`;
}
