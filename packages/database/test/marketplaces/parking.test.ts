import { expect, test } from "vitest";
import { findJobRequest, findLetter, openRunStore, parkStillborn } from "../../src/index.ts";
import { setup } from "./setup.ts";

test("a piece of work that can never work is a letter of its own, which no engine ever hears of", async () => {
  await using t = await setup();
  const [runId = ""] = await t.db.transaction((tx) =>
    parkStillborn(
      tx,
      [
        {
          queue: "marketplace-sync",
          job: "push-listing",
          version: 1,
          payload: { accountId: t.account.id, sku: "S0" },
          companyId: t.companyId,
          subject: `marketplace-account:${t.account.id}`,
          priority: 10,
          deadlineAt: new Date(Date.now() + 60_000),
          code: "listing_rejected",
          message: "unknown_sku: S0\u0000",
        },
      ],
      "push-stock",
    ),
  );
  const letter = await findLetter(t.db.kysely, t.companyId, runId);
  expect(letter).toMatchObject({ state: "open", code: "listing_rejected", job: "push-listing" });
  expect(await openRunStore(t.db).claim(10, 1_000, {})).toEqual([]);
  const { requestId = "" } = await t.db.kysely
    .selectFrom("jobRequests")
    .select("id as requestId")
    .executeTakeFirstOrThrow();
  expect((await findJobRequest(t.db.kysely, requestId, "all"))?.run.state).toBe("dead");
});
