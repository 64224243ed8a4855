import { revokeApiKey } from "@ballast/database";
import { expect, test } from "vitest";
import { openEvents, type StreamEvent } from "./event-stream.ts";
import { type Api, setup } from "./setup.ts";

/** What can be followed of one company: a job that waits, and an invoice run that nobody drives. */
async function followed(t: Api) {
  const { companyId, invoiceId } = await t.issued();
  const job = await t.api.post(`/v1/invoices/${invoiceId}/pdf`).expect(202);
  const body = { companyId, action: "render", ids: [invoiceId] };
  const run = await t.api.post("/v1/invoice-runs", body).expect(202);
  return [
    `${t.url}/v1/jobs/${job.body.requestId}/events`,
    `${t.url}/v1/invoice-runs/${run.body.invoiceRunId}/events`,
  ];
}

test("a key may open 20 streams of a kind; then it is refused, and others are not", async () => {
  await using t = await setup();
  const [busy, other] = [await t.keyFor(null), await t.keyFor(null)];
  for (const url of await followed(t)) {
    using open = new DisposableStack();
    const ask = async (key: string) => open.use(await openEvents(url, key));
    const first = await ask(busy);
    for (let n = 1; n < 20; n++) expect((await ask(busy)).status).toBe(200);

    const refused = await ask(busy);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("5");
    expect((await ask(other)).status).toBe(200);

    first[Symbol.dispose]();
    await expect.poll(async () => (await ask(busy)).status).toBe(200);
  }
});

test("a stream that is only asked for its headers keeps no place", async () => {
  await using t = await setup();
  for (const url of await followed(t)) {
    const headers = { Authorization: `Bearer ${t.adminKey}` };
    for (let n = 0; n < 30; n++)
      expect((await fetch(url, { method: "HEAD", headers })).status).toBe(200);
  }
});

test("streams of a key that was revoked end", async () => {
  await using t = await setup({ heartbeatMs: 50 });
  for (const url of await followed(t)) {
    const key = await t.keyFor(null);
    using stream = await openEvents(url, key);
    expect((await stream.events.next()).value?.event).toBeDefined();
    const { id } = await t.database.kysely
      .selectFrom("apiKeys")
      .select("id")
      .where("prefix", "=", key.slice(3, 11))
      .executeTakeFirstOrThrow();
    await revokeApiKey(t.database.kysely, id);

    let last: StreamEvent | undefined;
    for await (const heard of stream.events) last = heard;
    expect(last).toEqual({ comment: "this API key opens this no more" });
    expect((await openEvents(url, key)).status).toBe(401);
  }
});
