import { randomUUID } from "node:crypto";
import { beginIdempotent } from "@ballast/database";
import { until } from "@ballast/testing";
import { expect, test } from "vitest";
import { type Api, setup } from "./setup.ts";

const withKey = (key: string) => ({ "Idempotency-Key": key });

test("the same key and body get the same answer, and the work is asked for once", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const path = `/v1/invoices/${invoiceId}/pdf`;
  const first = await t.api.post(path, {}, withKey("k-1")).expect(202);
  expect(first.headers.get("idempotency-replayed")).toBeNull();
  const again = await t.api.post(path, {}, withKey("k-1")).expect(202);
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  expect(again.headers.get("location")).toBe(first.headers.get("location"));
  expect(again.text).toBe(first.text);
  const jobs = await t.api.get(`/v1/jobs?subject=invoice:${invoiceId}`);
  expect(jobs.body.jobs).toHaveLength(1);
});

test("20 equal requests at once do their work once and all get its answer", async () => {
  await using t = await setup();
  const { draft } = await t.tenant();
  const path = `/v1/invoices/${randomUUID()}`;
  await t.api.put(path, draft).expect(201);
  const all = await Promise.all(
    Array.from({ length: 20 }, () => t.api.post(`${path}/issue`, {}, withKey("issue-once"))),
  );
  expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(all.map(({ text }) => text)).size).toBe(1);
  expect(all.filter(({ headers }) => headers.get("idempotency-replayed") === null)).toHaveLength(1);
});

test("another body or address under the same key is refused with 422", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const path = `/v1/invoices/${invoiceId}/send`;
  await t.api.post(path, {}, withKey("k-2")).expect(202);
  const other = { resend: true, reason: "lost" };
  const refused = { status: 422, body: { type: "/problems#idempotency-key-reused" } };
  expect(await t.api.post(path, other, withKey("k-2"))).toMatchObject(refused);
  expect(await t.api.post(`/v1/invoices/${invoiceId}/pdf`, {}, withKey("k-2"))).toMatchObject(
    refused,
  );
});

test("one caller's key says nothing to another", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const path = `/v1/invoices/${invoiceId}/pdf`;
  await t.api.post(path, {}, withKey("same")).expect(202);
  const other = await t
    .as(await t.keyFor(null))
    .post(path, {}, withKey("same"))
    .expect(202);
  expect(other.headers.get("idempotency-replayed")).toBeNull();
});

test("a repeat waits up to 2 s for the first answer, then gets 409 with Retry-After", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  const key = await t.keyFor(null);
  const { id: apiKeyId } = await t.database.kysely
    .selectFrom("apiKeys")
    .select("id")
    .orderBy("createdAt", "desc")
    .executeTakeFirstOrThrow();
  const path = `/v1/invoices/${invoiceId}/pdf`;
  const bodyHash = "another process is at it";
  const startedAt = performance.now();
  // What another replica does: its transaction holds the key and has not ended.
  await t.database.transaction(async (tx) => {
    await beginIdempotent(tx, { apiKeyId, key: "slow", method: "POST", path, bodyHash });
    const got = await t.as(key).post(path, {}, withKey("slow"));
    expect(got).toMatchObject({ status: 409, body: { type: "/problems#still-in-flight" } });
    expect(got.headers.get("retry-after")).toBe("2");
  });
  expect(performance.now() - startedAt).toBeGreaterThan(1_900);
});

test("a repeat that comes while the first is at work waits and gets the first answer", async () => {
  await using t = await setup();
  const { draft } = await t.tenant();
  const issuedTwice = async () => {
    const path = `/v1/invoices/${randomUUID()}`;
    await t.api.put(path, draft).expect(201);
    const issue = () => t.api.post(`${path}/issue`, {}, withKey(path));
    const calls = await t.database.transaction(async (tx) => {
      // The company's number series is taken, so issuing waits for it, and the repeat for the first.
      await tx
        .selectFrom("companies")
        .selectAll()
        .where("id", "=", draft.companyId)
        .forUpdate()
        .execute();
      const started = [issue(), issue()];
      await expect.poll(() => waitingForLocks(t), { timeout: 5_000 }).toBe(2);
      return started;
    });
    return await Promise.all(calls);
  };
  // A repeat waits for 2 s, and on a busy machine the first may take longer.
  const [first, again] = await until(async () => {
    const answers = await issuedTwice();
    return answers.every(({ status }) => status === 200) && answers;
  });
  expect(again?.text).toBe(first?.text);
});

async function waitingForLocks({ database }: Api): Promise<number> {
  const waiting = await database.kysely
    .selectFrom("pgStatActivity" as "marks")
    .select("pid" as "name")
    .where("waitEventType" as "name", "=", "Lock")
    .where((eb) => eb("datname" as "name", "=", eb.fn<string>("current_database")))
    .execute();
  return waiting.length;
}

test("a refusal is kept like any answer, a failure is not", async () => {
  await using t = await setup();
  const { draft } = await t.tenant();
  const path = `/v1/invoices/${randomUUID()}`;
  await t.api.put(path, { ...draft, lines: [] }).expect(201);
  const refused = await t.api.post(`${path}/issue`, {}, withKey("k-3")).expect(422);
  await t.api.put(path, draft).expect(200);
  const again = await t.api.post(`${path}/issue`, {}, withKey("k-3")).expect(422);
  expect(again.text).toBe(refused.text);
  expect(again.headers.get("content-type")).toMatch(/^application\/problem\+json/);
  await t.api.post(`${path}/issue`, {}, withKey("k-4")).expect(200);
});

test("a key that cannot be one is refused with 400", async () => {
  await using t = await setup();
  const { invoiceId } = await t.issued();
  for (const key of ["", "a b", "x".repeat(256)])
    expect(await t.api.post(`/v1/invoices/${invoiceId}/pdf`, {}, withKey(key))).toMatchObject({
      status: 400,
      body: { errors: [{ path: "Idempotency-Key", limit: 255 }] },
    });
});
