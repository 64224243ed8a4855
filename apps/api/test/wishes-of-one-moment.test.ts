import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { setup } from "./setup.ts";

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

  // All of one transaction have its time.
  const times = await t.database.kysely.selectFrom("jobRequests").select("createdAt").execute();
  const transactions = new Set(times.map(({ createdAt }) => createdAt.getTime())).size;
  expect(transactions).toBeLessThan(20);
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

  const runs = await t.database.kysely
    .selectFrom("jobRuns")
    .select(["createdAt", "payload"])
    .execute();
  expect(runs.map(({ payload }) => payload)).toHaveLength(20);
  expect(new Set(runs.map(({ createdAt }) => createdAt.getTime())).size).toBeLessThan(20);
});
