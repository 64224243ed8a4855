import { randomUUID } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { keepSchedules } from "@ballast/database";
import { expect, test, vi } from "vitest";
import type { Endpoint } from "../src/http/endpoint.ts";
import { scheduleRules } from "../src/schedules/rules.ts";
import { tickAfter } from "../src/schedules/ticks.ts";
import { deadPdf, incident, uncertainMail } from "./letters.ts";
import { type Api, client, setup } from "./setup.ts";

// Each walks all routes, one request after the other.
vi.setConfig({ testTimeout: 120_000 });

/** Lists answer a stranger with nothing in them; everything else does not exist for them. */
const isList = ({ path, method }: Endpoint) => !path.includes("{") && method === "get";
/** Makes something of the caller's own; there is nothing of others to reach: SKUs are each company's own. */
const isCreation = ({ path, method, operationId }: Endpoint) =>
  (!path.includes("{") && method === "post") || operationId === "putProduct";

/** `POST /v1/queues/{queue}/pause`, up to its query. */
const NAMED_ROUTE = /\b(?:GET|POST|PUT|DELETE|PATCH) \/v1(?:\/(?:\{[^}]+\}|[\w…-]+))+/g;

const methodOf = ({ method }: Endpoint) => method.toUpperCase();

function bodyOf(
  endpoint: Endpoint,
  owned: { companyId?: string; customerId?: string },
): RequestInit {
  if (endpoint.body === undefined) return {};
  const example = (endpoint.example ?? {}) as object;
  const body: Record<string, unknown> = { ...example };
  if ("customerId" in example && owned.customerId) body["customerId"] = owned.customerId;
  const isOwned = [
    "customerId",
    "locale",
    "kind",
    "quantity",
    "items",
    "unitPriceMinor",
    "action",
  ].some((k) => k in example);
  if (isOwned && owned.companyId) body["companyId"] = owned.companyId;
  return { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

test("every route refuses a request without a key, one with a bad key, and one without its scope", async () => {
  await using t = await setup();
  for (const endpoint of t.endpoints) {
    const path = endpoint.path.replaceAll(/\{\w+\}/g, () => randomUUID());
    const told = `${methodOf(endpoint)} ${endpoint.path}`;
    const init = bodyOf(endpoint, {});

    const bare = await client(t.url, undefined).call(methodOf(endpoint), path, init);
    expect
      .soft(bare, told)
      .toMatchObject({ status: 401, body: { type: "/problems#unauthorized" } });
    expect.soft(bare.headers.get("www-authenticate"), told).toMatch(/^Bearer/);

    const wrong = await t.as(`bk_abcdefgh_${"A".repeat(43)}`).call(methodOf(endpoint), path, init);
    expect.soft(wrong.status, told).toBe(401);

    const others = (["read", "write", "operate"] as const).filter((s) => s !== endpoint.scope);
    const lacking = await t.as(await t.keyFor(null, others)).call(methodOf(endpoint), path, init);
    expect.soft(lacking, told).toMatchObject({
      status: 403,
      body: { detail: expect.stringContaining(`"${endpoint.scope}"`) },
    });
  }
});

/** An account with its schedule, as a clock would keep it. */
async function aShop(t: Api) {
  const shop = await t.shop();
  await keepSchedules(t.database, await scheduleRules(t.database.kysely), [], tickAfter);
  return { ...shop, scheduleId: `reconcile-stock:${shop.accountId}` };
}

async function aRun(t: Api, { companyId, invoiceId }: { companyId: string; invoiceId: string }) {
  const body = { companyId, action: "render", ids: [invoiceId] };
  return (await t.api.post("/v1/invoice-runs", body).expect(202)).body.invoiceRunId;
}

/** A bulk replay of all companies. */
async function aReplay(t: Api): Promise<string> {
  await deadPdf(t);
  const body = { filter: { queue: "pdf" }, reason: "a test" };
  return (await t.api.post("/v1/replays", body).expect(202)).body.replayId;
}

test("no route shows, changes or even admits what belongs to another company", async () => {
  await using t = await setup();
  const owner = await t.issued();
  const stranger = await t.tenant();
  const job = await t.api.post(`/v1/invoices/${owner.invoiceId}/pdf`).expect(202);
  const shop = await aShop(t);
  const ids: Record<string, string> = {
    companyId: owner.companyId,
    customerId: owner.customerId,
    invoiceId: owner.invoiceId,
    requestId: job.body.requestId,
    letterId: (await deadPdf(t)).letterId,
    queue: "pdf",
    incidentId: await incident(t, []),
    deliveryId: (await uncertainMail(t)).deliveryId,
    replayId: await aReplay(t),
    accountId: shop.accountId,
    scheduleId: shop.scheduleId,
    sku: "STONE-20",
    invoiceRunId: await aRun(t, owner),
  };
  const key = await t.keyFor(stranger.companyId);
  const before = await t.api.get(`/v1/invoices/${owner.invoiceId}`).expect(200);

  for (const endpoint of t.endpoints.filter((one) => !isCreation(one))) {
    const told = `${methodOf(endpoint)} ${endpoint.path}`;
    const path = endpoint.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const id = ids[name];
      if (id === undefined) throw new Error(`${told}: this test knows no ${name}`);
      return id;
    });
    // A stranger who names the owner must not get further than one who does not.
    for (const companyId of [undefined, owner.companyId, stranger.companyId]) {
      const body = bodyOf(endpoint, {
        customerId: stranger.customerId,
        ...(companyId === undefined ? {} : { companyId }),
      });
      const got = await t.as(key).call(methodOf(endpoint), path, body);
      if (isList(endpoint)) {
        expect.soft(got.status, told).toBe(200);
        expect.soft(Object.values(got.body).find(Array.isArray), told).toEqual([]);
      } else
        expect
          .soft(got, told)
          .toMatchObject({ status: 404, body: { type: "/problems#not-found" } });
    }
  }
  expect((await t.api.get(`/v1/invoices/${owner.invoiceId}`)).body).toEqual(before.body);
  expect((await t.api.get(`/v1/jobs/${job.body.requestId}`)).body.state).toBe("waiting");
});

test("a row of another company cannot be taken over by a customer or invoice that names it", async () => {
  await using t = await setup();
  const owner = await t.issued();
  const stranger = await t.tenant();
  const as = t.as(await t.keyFor(stranger.companyId));

  const draft = { ...stranger.draft, companyId: undefined, customerId: owner.customerId };
  const got = await as.put(`/v1/invoices/${randomUUID()}`, draft);
  expect(got).toMatchObject({ status: 422, body: { errors: [{ path: "customerId" }] } });
});

test("every route is in the OpenAPI document, with its refusals", async () => {
  await using t = await setup();
  const { body } = await client(t.url, undefined).get("/openapi.json");
  expect(body.openapi).toBe("3.1.0");
  for (const endpoint of t.endpoints) {
    const told = `${methodOf(endpoint)} ${endpoint.path}`;
    const operation = body.paths[endpoint.path]?.[endpoint.method];
    expect.soft(operation, told).toBeDefined();
    expect
      .soft(Object.keys(operation.responses), told)
      .toEqual(expect.arrayContaining(["401", "403", "429", "500"]));
    const path = endpoint.path.replaceAll(/\{\w+\}/g, () => randomUUID());
    const wrong = await t.api.call("PATCH", path);
    expect.soft(wrong.status, told).toBe(405);
    expect.soft(wrong.headers.get("allow"), told).toContain(methodOf(endpoint));
  }
});

test("every route that a page of ours names is there", async () => {
  await using t = await setup();
  const known = t.endpoints.map(
    (one) => new RegExp(`^${methodOf(one)} ${one.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  );
  const root = join(import.meta.dirname, "../../..");
  const pages = globSync("{README.md,{apps,packages}/*/README.md,infra/**/*.md}", {
    cwd: root,
    exclude: ["**/node_modules/**"],
  });
  const named = pages.flatMap((page) =>
    [...readFileSync(join(root, page), "utf8").matchAll(NAMED_ROUTE)].map(([route]) => ({
      page,
      route,
    })),
  );
  expect(named.length).toBeGreaterThan(20);
  // An ellipsis leaves out what the page has said.
  const whole = named.filter(({ route }) => !route.endsWith("…"));
  expect(whole.filter(({ route }) => !known.some((one) => one.test(route)))).toEqual([]);
});

test("every answer has the documented status and holds the documented fields, no others", async () => {
  await using t = await setup();
  const one = await t.issued();
  const { invoiceId } = one;
  const { companyId, customerId, accountId, scheduleId } = await aShop(t);
  const draftId = randomUUID();
  const asked = await t.api.post(`/v1/invoices/${invoiceId}/send`).expect(202);
  const letters = await deadPdf(t);
  const replayId = await aReplay(t);
  const checked: string[] = [];
  for (const endpoint of t.endpoints) {
    const { handle: _, operationId, answers } = endpoint;
    if (["getDocument", "watchJob", "watchInvoiceRun"].includes(operationId)) continue; // not JSON; they have tests of their own
    const isDraft = ["putInvoice", "issueInvoice"].includes(operationId);
    // What is decided once needs one of its own for each.
    const needs = (name: string) => endpoint.path.includes(`{${name}}`);
    const letterId = needs("letterId") ? (await deadPdf(t)).letterId : "";
    const deliveryId = needs("deliveryId") ? (await uncertainMail(t)).deliveryId : "";
    const invoiceRunId = needs("invoiceRunId") ? await aRun(t, one) : "";
    const incidentId = needs("incidentId") ? await incident(t, [letters.letterId]) : "";
    if (operationId === "reopenIncident")
      await t.api.post(`/v1/incidents/${incidentId}/ignore`, { reason: "x", above: 9 }).expect(200);
    if (operationId === "retryInvoiceRun")
      await t.database.kysely.updateTable("invoiceRunItems").set({ state: "dead" }).execute();
    if (operationId === "resumeReplay")
      await t.api.post(`/v1/replays/${replayId}/cancel`, { reason: "a test" });
    const fresh = ["voidInvoice", "moveDueDate"].includes(operationId)
      ? (await t.issued()).invoiceId
      : invoiceId;
    const ids: Record<string, string> = {
      companyId,
      customerId,
      invoiceId: isDraft ? draftId : fresh,
      requestId: asked.body.requestId,
      letterId,
      queue: "pdf",
      deliveryId,
      incidentId,
      replayId,
      accountId,
      scheduleId,
      sku: "STONE-20",
      invoiceRunId,
    };
    const query = ["getStock", "getProduct"].includes(operationId) ? `?companyId=${companyId}` : "";
    const path =
      endpoint.path.replaceAll(/\{(\w+)\}/g, (__, name: string) => ids[name] ?? "") + query;
    const owned = { companyId, customerId };
    const got = await t.api.call(methodOf(endpoint), path, bodyOf(endpoint, owned));
    const told = `${methodOf(endpoint)} ${path} ${got.text}`;
    expect.soft(answers[got.status], told).toBeDefined();
    const schema = answers[got.status]?.schema;
    if (schema !== undefined) expect.soft(schema.parse(got.body), told).toEqual(got.body);
    checked.push(operationId);
  }
  expect(checked).toHaveLength(t.endpoints.length - 3);
});
