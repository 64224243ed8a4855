import {
  type Claim,
  claimAll,
  claimDrafts,
  claimSending,
  type DeliveryFacts,
  type DraftedDelivery,
  FIRST_FENCE,
  findMailFacts,
  groupCommit,
  type MailFacts,
  markSentAll,
  type Queryable,
  type SentMail,
  type WantedMail,
} from "@ballast/database";

/** What each mail asks of PostgreSQL; mails that ask at the same moment share a statement and its commit. */
export interface MailLedger {
  /** For what a mail seldom asks. */
  readonly db: Queryable;
  facts(mail: WantedMail): Promise<MailFacts | undefined>;
  /** @throws {DeliveryNotFoundError} */
  claim(mail: LedgerMail): Promise<Claim>;
  /** Record that the server took the mail. @returns `false` if the claim is not this one */
  sent(mail: SentMail): Promise<boolean>;
}

/** A mail as the ledger has it. */
export interface LedgerMail extends DeliveryFacts {
  /** What is written when it is claimed, if the ledger does not have it yet. */
  readonly draft?: DraftedDelivery;
}

/** Longer than the mailer gives one mail (75 s), so that a claim never ends while its mail is under way. */
const LEASE_MS = 90_000;

export function openMailLedger(db: Queryable): MailLedger {
  const shared = <In, Out>(commit: (group: readonly In[]) => Promise<readonly Out[]>) =>
    groupCommit<In, Out>({ keyOf: () => "", commit });
  const claimed = shared((ids: readonly string[]) => fencesOf(db, ids));
  const written = shared(async (drafts: readonly DraftedDelivery[]) => {
    const ours = await claimDrafts(db, drafts, LEASE_MS);
    return drafts.map(({ id }) => ours.has(id));
  });
  return {
    db,
    facts: shared((mails) => findMailFacts(db, mails)),
    async claim({ id, draft }) {
      if (draft !== undefined)
        return (await written(draft))
          ? { kind: "claimed", fence: FIRST_FENCE }
          : { kind: "busy", leaseUntil: new Date() }; // whoever wrote it is heard when this mail is looked at again
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
