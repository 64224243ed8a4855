import { randomUUID } from "node:crypto";
import { draftDelivery, type PlannedDelivery, planDelivery } from "@ballast/database";
import { expect, test } from "vitest";
import { openMailLedger } from "../../src/handlers/mail-ledger.ts";
import { setup } from "./setup.ts";

test("of claims at the same moment each mail is one's alone, and one that is not there harms no other", async () => {
  await using t = await setup();
  const { companyId, id: invoiceId } = t.invoice;
  const plan = (ordinal: number): PlannedDelivery => ({
    ...{ companyId, invoiceId, revision: 1, purpose: "invoice", reason: null, ordinal },
    recipient: "eingang@kundin.example",
    fromDomain: "werft.example",
  });
  const first = await planDelivery(t.database.kysely, plan(1));
  const second = await planDelivery(t.database.kysely, plan(2));
  const drafts = [plan(2), plan(3), plan(3)].map((of) => ({ ...first, draft: draftDelivery(of) }));
  const ledger = openMailLedger(t.database.kysely);

  const claims = await Promise.allSettled(
    [first, first, { ...first, id: randomUUID() }, second, ...drafts].map(ledger.claim),
  );

  expect(claims).toMatchObject([
    { value: { kind: "claimed", fence: 1 } },
    { value: { kind: "busy" } },
    { reason: { name: "DeliveryNotFoundError" } },
    { value: { kind: "claimed", fence: 1 } },
    { value: { kind: "busy" } }, // somebody planned it meanwhile
    expect.anything(),
    expect.anything(),
  ]);
  const twins = claims.slice(-2).map((claim) => claim.status === "fulfilled" && claim.value.kind);
  expect(twins.toSorted()).toEqual(["busy", "claimed"]);
});
