import {
  type Claim,
  claimAll,
  claimSending,
  type Delivery,
  findMailFacts,
  groupCommit,
  type MailFacts,
  markSentAll,
  type PlannedDelivery,
  planAll,
  type Queryable,
  reasonsOfSuppressed,
  type SentMail,
} from "@ballast/database";

/** What each mail asks of PostgreSQL; mails that ask at the same moment share a statement and its commit. */
export interface MailLedger {
  /** For what a mail seldom asks. */
  readonly db: Queryable;
  facts(invoiceId: string): Promise<MailFacts | undefined>;
  /** Why mail of this company to `address` is stopped; `undefined` if it is not. */
  suppressed(mail: { companyId: string; address: string }): Promise<string | undefined>;
  /** Get the row of this mail, or make it. */
  plan(plan: PlannedDelivery): Promise<Delivery>;
  /** @throws {DeliveryNotFoundError} */
  claim(id: string): Promise<Claim>;
  /** Record that the server took the mail. @returns `false` if the claim is not this one */
  sent(mail: SentMail): Promise<boolean>;
}

/** Longer than the mailer gives one mail (75 s), so that a claim never ends while its mail is under way. */
const LEASE_MS = 90_000;

export function openMailLedger(db: Queryable): MailLedger {
  const shared = <In, Out>(commit: (group: readonly In[]) => Promise<readonly Out[]>) =>
    groupCommit<In, Out>({ keyOf: () => "", commit });
  const claimed = shared((ids: readonly string[]) => fencesOf(db, ids));
  return {
    db,
    facts: shared((ids) => findMailFacts(db, ids)),
    suppressed: shared((mails) => reasonsOfSuppressed(db, mails)),
    plan: shared((plans) => planAll(db, plans)),
    async claim(id) {
      const fence = await claimed(id);
      // Each for itself: what goes wrong here must not take from its neighbours the claims that they have.
      return fence === undefined
        ? await claimSending(db, id, LEASE_MS)
        : { kind: "claimed", fence };
    },
    sent: shared((mails) => markSentAll(db, mails)),
  };
}

/** Of two that want one mail at the same moment, the first has it: its fence. */
async function fencesOf(
  db: Queryable,
  ids: readonly string[],
): Promise<ReadonlyArray<number | undefined>> {
  const fences = await claimAll(db, ids, LEASE_MS);
  return ids.map((id, n) => (ids.indexOf(id) === n ? fences.get(id) : undefined));
}
