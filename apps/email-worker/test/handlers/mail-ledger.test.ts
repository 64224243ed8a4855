import { randomUUID } from "node:crypto";
import { planAll } from "@ballast/database";
import { expect, test } from "vitest";
import { openMailLedger } from "../../src/handlers/mail-ledger.ts";
import { setup } from "./setup.ts";

test("of claims at the same moment each mail is one's alone, and one that is not there harms no other", async () => {
  await using t = await setup();
  const { companyId, id: invoiceId } = t.invoice;
  const mail = { companyId, invoiceId, revision: 1, purpose: "invoice", reason: null } as const;
  const planned = await planAll(
    t.database.kysely,
    [1, 2].map((ordinal) => ({
      ...mail,
      ordinal,
      recipient: "eingang@kundin.example",
      fromDomain: "werft.example",
    })),
  );
  const [first = "", second = ""] = planned.map(({ id }) => id);
  const ledger = openMailLedger(t.database.kysely);

  const claims = await Promise.allSettled(
    [first, first, randomUUID(), second].map((id) => ledger.claim(id)),
  );

  expect(claims).toMatchObject([
    { value: { kind: "claimed", fence: 1 } },
    { value: { kind: "busy" } },
    { reason: { name: "DeliveryNotFoundError" } },
    { value: { kind: "claimed", fence: 1 } },
  ]);
});
