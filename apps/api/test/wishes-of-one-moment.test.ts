import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { type Api, setup } from "./setup.ts";

/** How many transactions recorded what was asked for: all of one have its time, to the microsecond. */
async function transactionsOf({ database }: Api): Promise<number> {
  const times = await database.kysely
    .selectFrom("jobRequests")
    .select((eb) => eb.cast<string>("createdAt", "text").as("at"))
    .distinct()
    .execute();
  return times.length;
}

test("PDFs asked for at the same moment share a transaction, and each wish is answered for itself", async () => {
  await using t = await setup();
  const good = await t.issued();
  const [draft, unknown] = [await t.tenant(), randomUUID()];
  const draftId = randomUUID();
  await t.api.put(`/v1/invoices/${draftId}`, draft.draft).expect(201);
  const theirs = t.as(await t.keyFor(draft.companyId));
  const path = (id: string) => `/v1/invoices/${id}/pdf`;

  const [wishes, refused, missing, hidden] = await Promise.all([
    Promise.all(Array.from({ length: 20 }, () => t.api.post(path(good.invoiceId)))),
    t.api.post(path(draftId)),
    t.api.post(path(unknown)),
    theirs.post(path(good.invoiceId)),
  ]);
  expect(wishes.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 202));
  expect(new Set(wishes.map(({ body }) => body.requestId)).size).toBe(20);
  expect(new Set(wishes.map(({ body }) => body.runId)).size).toBe(1);
  expect(refused).toMatchObject({ status: 409, body: { type: "/problems#invoice-not-issued" } });
  expect(missing).toMatchObject({ status: 404, body: { type: "/problems#not-found" } });
  expect(hidden).toMatchObject({ status: 404, body: { type: "/problems#not-found" } });

  expect(await transactionsOf(t)).toBeLessThan(20);
});

test("jobs asked for by name at the same moment share a transaction, and a broken payload fails alone", async () => {
  await using t = await setup();
  const ask = (payload: unknown) => t.api.post("/v1/jobs", { job: "echo", payload });
  const [wishes, refused] = await Promise.all([
    Promise.all(Array.from({ length: 20 }, (_, n) => ask({ id: String(n) }))),
    ask({ id: 7 }),
  ]);
  expect(wishes.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 202));
  expect(new Set(wishes.map(({ body }) => body.runId)).size).toBe(20);
  expect(refused).toMatchObject({ status: 422, body: { type: "/problems#invalid-body" } });

  expect(await transactionsOf(t)).toBeLessThan(20);
});
