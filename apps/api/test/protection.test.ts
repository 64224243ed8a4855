import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { client, setup } from "./setup.ts";

test("a key that sends too many requests is told when to return, and others are not bothered", async () => {
  await using t = await setup({ limits: { requestsPerMinute: 3 } });
  const [busy, other] = [t.as(await t.keyFor(null)), t.as(await t.keyFor(null))];
  const path = `/v1/invoices/${randomUUID()}`;
  const first = await busy.get(path).expect(404);
  expect(first.headers.get("ratelimit")).toMatch(/r=2/);
  await busy.get(path).expect(404);
  await busy.get(path).expect(404);
  const limited = await busy.get(path);
  expect(limited).toMatchObject({ status: 429, body: { type: "/problems#too-many-requests" } });
  expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
  await other.get(path).expect(404);
});

test("a failure of ours answers 500 without a word of what failed, and tells the log", async () => {
  await using t = await setup();
  const logged: unknown[] = [];
  t.telemetry.log.error = ((values: unknown) => void logged.push(values)) as never;
  const { invoiceId } = await t.issued();
  const kysely = t.database.kysely;
  await kysely.updateTable("invoices").set({ locale: "tlh" }).where("id", "=", invoiceId).execute();
  const got = await t.api.post(`/v1/invoices/${invoiceId}/pdf`, {}, { "Idempotency-Key": "k" });
  expect(got).toMatchObject({
    status: 500,
    body: { type: "/problems#internal-error", detail: "the request failed" },
  });
  expect(got.text).not.toMatch(/locale|tlh|at \//);
  expect(logged).toHaveLength(1);

  await kysely
    .updateTable("invoices")
    .set({ locale: "de-AT" })
    .where("id", "=", invoiceId)
    .execute();
  const again = await t.api.post(`/v1/invoices/${invoiceId}/pdf`, {}, { "Idempotency-Key": "k" });
  expect(again.status).toBe(202); // a 5xx is not kept under the key
});

test("with PostgreSQL away requests are answered 503 with Retry-After, and work again afterwards", async () => {
  await using t = await setup();
  const away = Object.assign(new Error("connect ECONNREFUSED 10.0.0.7:5432"), {
    code: "ECONNREFUSED",
  });
  const { transaction } = t.database;
  Object.assign(t.database, { transaction: () => Promise.reject(away) });
  const path = `/v1/invoices/${randomUUID()}/send`;
  const { status, headers, text } = await t.api.post(path);
  expect(status).toBe(503);
  expect(headers.get("retry-after")).toBe("5");
  expect(text).not.toContain("10.0.0.7");
  Object.assign(t.database, { transaction });
  await t.api.post(path).expect(404);
});

test("with PostgreSQL away each of a group of wishes is told so, and none is tried again by itself", async () => {
  await using t = await setup();
  const { kysely } = t.database;
  let tries = 0;
  const selectFrom = () => {
    tries += 1;
    throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  };
  Object.assign(t.database, { kysely: { selectFrom } });
  const ask = () => t.api.post(`/v1/invoices/${randomUUID()}/pdf`);
  const answers = await Promise.all(Array.from({ length: 6 }, ask));
  expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(503));
  expect(tries).toBeLessThan(6);
  Object.assign(t.database, { kysely });
  await ask().expect(404);
});

test("a caller that hangs up halfway through its body is no failure of ours", async () => {
  await using t = await setup();
  const levels: string[] = [];
  for (const level of ["error", "info"] as const)
    t.telemetry.log[level] = ((_: unknown, message: string) =>
      void levels.push(`${level} ${message}`)) as never;
  const { port } = new URL(t.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.write(
    `PUT /v1/companies/${randomUUID()} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${t.adminKey}\r\n` +
      'Content-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n{"leg',
  );
  await once(socket, "data"); // 100 Continue: the body is being read
  socket.destroy();
  await expect.poll(() => levels).toContain("info request answered");
  expect(levels).not.toContain("error request failed");
});

test("requests are counted by route, and logged without bodies, queries or addresses", async () => {
  await using t = await setup();
  const lines: string[] = [];
  for (const level of ["debug", "info"] as const)
    t.telemetry.log[level] = ((values: unknown) =>
      void lines.push(JSON.stringify(values))) as never;
  const { customerId } = await t.issued();
  await t.api.get(`/v1/customers/${customerId}`).expect(200);
  await t.api.get("/v1/jobs?subject=someone@example.com").expect(200);
  await t.api.get("/nowhere").expect(404);
  await t.api.call("PROPFIND", "/v1/jobs");

  const metrics = () => t.telemetry.registry.metrics();
  await expect
    .poll(metrics)
    .toContain(
      'ballast_http_requests_total{method="GET",route="/v1/customers/{customerId}",status="200"} 1',
    );
  await expect.poll(metrics).toContain('{method="GET",route="(none)",status="404"} 1');
  await expect.poll(metrics).toContain('{method="other",route="/v1/jobs",status="405"} 1');
  expect(await metrics()).toContain("ballast_http_request_duration_seconds_bucket");
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.join("\n")).not.toMatch(/@|buchhaltung/);
});

test("answers carry headers that keep a browser from doing harm, and tell nothing of the server", async () => {
  await using t = await setup();
  const { headers } = await t.api.get("/v1/invoices").expect(200);
  expect(headers.get("content-security-policy")).toBe("default-src 'none';frame-ancestors 'none'");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("x-powered-by")).toBeNull();
  expect(headers.get("cache-control")).toBe("private, no-cache");
});

test("the docs are served by the process itself, without a key and without anything inline", async () => {
  await using t = await setup();
  const anyone = client(t.url, undefined);
  for (const [path, type] of [
    ["/docs", "text/html"],
    ["/docs/page.css", "text/css"],
    ["/docs/start.js", "text/javascript"],
    ["/docs/swagger-ui.css", "text/css"],
    ["/docs/swagger-ui-bundle.js", "text/javascript"],
    ["/problems", "text/html"],
  ] as const) {
    const got = await anyone.get(path).expect(200);
    expect(got.headers.get("content-type"), path).toContain(type);
    expect(got.headers.get("content-security-policy"), path).toContain(
      "script-src 'self';style-src 'self'",
    );
    if (type === "text/html")
      expect(got.text).not.toMatch(/<script>|<style|style=|onclick|https?:\/\/(?!www\.rfc)/);
  }
  await anyone.get("/docs/package.json").expect(404);
  await anyone.get("/docs/../package.json").expect(404);
});
