import { randomUUID } from "node:crypto";
import { createTestDatabase, seedIssuedInvoice } from "@ballast/testing";
import { expect, test } from "vitest";
import {
  claimAll,
  claimDrafts,
  claimSending,
  DeliveryNotFoundError,
  deliveryMessageId,
  draftDelivery,
  FIRST_FENCE,
  findDelivery,
  isSuppressed,
  listDeliveries,
  markRejected,
  markSent,
  markSentAll,
  markSuppressed,
  markUnknown,
  nextOrdinal,
  type PlannedDelivery,
  planDelivery,
  releaseClaim,
  suppress,
  unsuppress,
} from "../src/index.ts";

const MINUTE_MS = 60_000;

async function setup() {
  const database = await createTestDatabase();
  const { invoice } = await seedIssuedInvoice(database.db);
  const db = database.db.kysely;
  const mail: PlannedDelivery = {
    companyId: invoice.companyId,
    invoiceId: invoice.id,
    revision: 1,
    purpose: "invoice",
    recipient: "eingang@kundin.example",
    ordinal: 1,
    reason: null,
    fromDomain: "werft.example",
  };
  const claim = async (id: string, leaseMs = MINUTE_MS) => {
    const claimed = await claimSending(db, id, leaseMs);
    if (claimed.kind !== "claimed") throw new Error(`expected a claim, got ${claimed.kind}`);
    return claimed.fence;
  };
  return {
    database: database.db,
    db,
    mail,
    claim,
    plan: (change: Partial<PlannedDelivery> = {}) => planDelivery(db, { ...mail, ...change }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test("planning one mail from many places makes one row", async () => {
  await using t = await setup();
  const rows = await Promise.all(Array.from({ length: 8 }, () => t.plan()));
  expect(new Set(rows.map(({ id }) => id)).size).toBe(1);
  expect(rows[0]).toMatchObject({ state: "planned", fence: 0, ordinal: 1 });
});

test("a mail's Message-ID is always the same, and no other mail's", async () => {
  await using t = await setup();
  const { messageId } = await t.plan();
  expect(messageId).toBe(deliveryMessageId(t.mail, "werft.example"));
  expect(messageId).toMatch(/^<ballast\.[0-9a-f]{32}@werft\.example>$/);
  expect((await t.plan({ ordinal: 2, reason: "lost" })).messageId).not.toBe(messageId);
});

test("of many claimants one gets to send", async () => {
  await using t = await setup();
  const { id } = await t.plan();
  const claims = await Promise.all(
    Array.from({ length: 8 }, () => claimSending(t.db, id, MINUTE_MS)),
  );
  expect(claims.filter(({ kind }) => kind === "claimed")).toEqual([{ kind: "claimed", fence: 1 }]);
  expect(claims.filter(({ kind }) => kind === "busy")).toHaveLength(7);
});

test("a claim whose lease ran out is unknown, and is never handed out again", async () => {
  await using t = await setup();
  const { id } = await t.plan();
  await t.claim(id, 0);
  expect(await claimSending(t.db, id, MINUTE_MS)).toMatchObject({
    kind: "unknown",
    row: { errorCode: "lease_expired", leaseUntil: null },
  });
  expect(await claimSending(t.db, id, MINUTE_MS)).toMatchObject({ kind: "unknown" });
});

test("whoever held a lapsed claim may still say how it ended, but not plan it again", async () => {
  await using t = await setup();
  const { id } = await t.plan();
  const fence = await t.claim(id, 0);
  await claimSending(t.db, id, MINUTE_MS);

  expect(await releaseClaim(t.db, id, fence)).toBe(false);
  expect(await markSent(t.db, id, fence, { response: "250 Ok" })).toBe(true);
  expect(await findDelivery(t.db, "all", id)).toMatchObject({ state: "sent", errorCode: null });
});

test("a released claim can be taken again, and the old one records nothing more", async () => {
  await using t = await setup();
  const { id } = await t.plan();
  const old = await t.claim(id);
  expect(await releaseClaim(t.db, id, old)).toBe(true);
  const newer = await t.claim(id);

  expect(newer).toBe(old + 1);
  expect(await markSent(t.db, id, old, { response: "250" })).toBe(false);
  expect(await markUnknown(t.db, id, old, { code: "x", message: "x" })).toBe(false);
  expect(await releaseClaim(t.db, id, old)).toBe(false);
  expect(await markSent(t.db, id, newer, { response: "250 2.0.0 Ok" })).toBe(true);
  expect(await claimSending(t.db, id, MINUTE_MS)).toMatchObject({
    kind: "sent",
    row: { response: "250 2.0.0 Ok", sentAt: expect.any(Date), leaseUntil: null },
  });
});

test("what is sent stays sent", async () => {
  await using t = await setup();
  const { id } = await t.plan();
  const fence = await t.claim(id);
  await markSent(t.db, id, fence, { response: "250" });
  expect(await markRejected(t.db, id, fence, { code: "550", message: "no" })).toBe(false);
  expect(await releaseClaim(t.db, id, fence)).toBe(false);
});

test.each([
  ["rejected", markRejected],
  ["unknown", markUnknown],
] as const)("a %s mail keeps the server's words", async (state, mark) => {
  await using t = await setup();
  const { id } = await t.plan();
  const fence = await t.claim(id);
  await mark(t.db, id, fence, { code: "smtp_550", message: "no such user", response: "550 5.1.1" });
  expect(await claimSending(t.db, id, MINUTE_MS)).toMatchObject({
    kind: state,
    row: { state, errorCode: "smtp_550", errorMessage: "no such user", response: "550 5.1.1" },
  });
});

test("a suppressed recipient gets nothing, in whatever case the address is written", async () => {
  await using t = await setup();
  await suppress(t.db, t.mail.companyId, "Eingang@Kundin.example", "bounced twice");
  expect(await isSuppressed(t.db, t.mail.companyId, t.mail.recipient)).toEqual({
    reason: "bounced twice",
  });
  expect(await isSuppressed(t.db, randomUUID(), t.mail.recipient)).toBeUndefined();

  const { id } = await t.plan();
  await markSuppressed(t.db, id, await t.claim(id), "bounced twice");
  expect(await claimSending(t.db, id, MINUTE_MS)).toMatchObject({ kind: "suppressed" });

  expect(await unsuppress(t.db, t.mail.companyId, "EINGANG@kundin.example")).toBe(true);
  expect(await unsuppress(t.db, t.mail.companyId, "eingang@kundin.example")).toBe(false);
});

test("resends asked for at once take different ordinals", async () => {
  await using t = await setup();
  await t.plan();
  const resend = () =>
    t.database.transaction(async (tx) => {
      const ordinal = await nextOrdinal(tx, t.mail);
      return await planDelivery(tx, { ...t.mail, ordinal, reason: "asked for" });
    });

  const rows = await Promise.all([resend(), resend(), resend(), resend()]);

  expect(rows.map(({ ordinal }) => ordinal).sort()).toEqual([2, 3, 4, 5]);
  expect(await listDeliveries(t.db, t.mail.companyId, t.mail.invoiceId)).toHaveLength(5);
});

test("another company's mails are not found", async () => {
  await using t = await setup();
  const { id } = await t.plan();
  expect(await findDelivery(t.db, randomUUID(), id)).toBeUndefined();
  expect(await listDeliveries(t.db, randomUUID(), t.mail.invoiceId)).toEqual([]);
});

test("a mail that was never planned cannot be claimed", async () => {
  await using t = await setup();
  await expect(claimSending(t.db, randomUUID(), MINUTE_MS)).rejects.toThrow(DeliveryNotFoundError);
});

test("many mails are planned, claimed and recorded at once, each as it would be alone", async () => {
  await using t = await setup();
  const planned = await planDelivery(t.db, t.mail);
  const plans = [3, 1, 2, 3].map((ordinal) => ({ ...t.mail, ordinal }));
  const all = await Promise.all(plans.map(t.plan));
  expect(all.map(({ ordinal }) => ordinal)).toEqual([3, 1, 2, 3]);
  expect(all[1]).toEqual(planned);
  expect(all[3]?.id).toBe(all[0]?.id);

  const [third, first, second] = all.map(({ id }) => id);
  await claimSending(t.db, first ?? "", MINUTE_MS);
  const ids = [third, first, second].map((id) => id ?? "");
  const fences = await claimAll(t.db, ids, MINUTE_MS);
  expect(fences).toEqual(new Map([third, second].map((id) => [id, 1])));

  const sent = (id = "", fence = 1) => ({ id, fence, response: `250 ${fence}` });
  expect(await markSentAll(t.db, [sent(second), sent(third, 7), sent(first)])).toEqual([
    true,
    false,
    true,
  ]);
  const rows = await listDeliveries(t.db, t.mail.companyId, t.mail.invoiceId);
  expect(rows.map(({ ordinal, state, response }) => [ordinal, state, response]).sort()).toEqual([
    [1, "sent", "250 1"],
    [2, "sent", "250 1"],
    [3, "sending", null],
  ]);
});

test("of many claims at once each mail is claimed once", async () => {
  await using t = await setup();
  const all = await Promise.all([1, 2, 3, 4].map((ordinal) => t.plan({ ordinal })));
  const ids = all.map(({ id }) => id);
  const turns = [ids, ids.toReversed(), ids, ids.toReversed()];
  const claims = await Promise.all(turns.map((of) => claimAll(t.db, of, MINUTE_MS)));
  const claimed = claims.flatMap((fences) => [...fences.keys()]);
  expect(new Set(claimed).size).toBe(claimed.length);
});

test("of many senders that write one mail into the ledger one may send it, whomever each would send it to", async () => {
  await using t = await setup();
  const recipients = ["a@kundin.example", "b@kundin.example"];
  const drafts = recipients.map((recipient) => draftDelivery({ ...t.mail, recipient }));
  const another = draftDelivery({ ...t.mail, ordinal: 2 });

  const ours = await claimDrafts(t.db, [...drafts, another], MINUTE_MS);
  const theirs = await claimDrafts(t.db, [draftDelivery(t.mail), ...drafts], MINUTE_MS);

  expect(ours).toContain(another.id);
  expect(ours.size).toBe(2);
  expect(theirs.size).toBe(0);
  const rows = await listDeliveries(t.db, t.mail.companyId, t.mail.invoiceId);
  expect(new Set(rows.map(({ id }) => id))).toEqual(ours);
  for (const row of rows)
    expect(row).toMatchObject({
      state: "sending",
      fence: FIRST_FENCE,
      leaseUntil: expect.any(Date),
      messageId: deliveryMessageId(row, t.mail.fromDomain),
    });
});

test("of senders that write the same mails at once, in whatever order, each mail is one's", async () => {
  await using t = await setup();
  const drafts = () =>
    Array.from({ length: 20 }, (_, n) => draftDelivery({ ...t.mail, ordinal: n + 1 }));
  const turns = [drafts(), drafts().toReversed(), drafts(), drafts().toReversed()];
  const claims = await Promise.all(turns.map((of) => claimDrafts(t.db, of, MINUTE_MS)));
  expect(claims.reduce((sum, ours) => sum + ours.size, 0)).toBe(20);
});
