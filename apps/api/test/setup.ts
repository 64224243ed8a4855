import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ApiScope,
  changedSince,
  createApiKey,
  openRunStore,
  parseKeyRing,
  upsertProducts,
} from "@ballast/database";
import { createRequests, openEngine, startDispatcher } from "@ballast/jobs";
import { openTelemetry, type Tracer } from "@ballast/service";
import { openObjectStore } from "@ballast/storage";
import { createTestDatabase } from "@ballast/testing";
import { type AppDeps, createApp, endpoints } from "../src/app.ts";
import { openJobWatch } from "../src/jobs/job-watch.ts";
import { groupJobWishes } from "../src/jobs/job-wishes.ts";
import { groupRenderWishes } from "../src/jobs/render-wishes.ts";
import {
  accountExample,
  companyExample,
  customerExample,
  draftExample,
} from "../src/routes/examples.ts";
import { listen } from "../src/server.ts";
import { groupStockChanges } from "../src/stock/group-commit.ts";

export interface Options {
  /** Where the queue engine is; by default nothing listens there. */
  readonly queueUrl?: string;
  readonly prefix?: string;
  /** Hand runs over to the engine, as the process does. */
  readonly dispatching?: boolean;
  readonly heartbeatMs?: number;
  readonly tracer?: Tracer;
  readonly limits?: Partial<AppDeps["limits"]>;
}

/** Port 1 of loopback: refused at once. */
const NO_ENGINE = "redis://127.0.0.1:1";
const ALL_SCOPES: ApiScope[] = ["read", "write", "operate"];

/** A running API on a database of its own, with a key that reaches all companies. */
export async function setup(options: Options = {}) {
  await using opened = new AsyncDisposableStack();
  const { db: database, url: databaseUrl } = opened.use(await createTestDatabase());
  const folder = await mkdtemp(join(tmpdir(), "ballast-api-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const documents = opened.use(await openObjectStore(`file://${folder}`));
  const stop = new AbortController();
  const told = openTelemetry({ service: "api", level: "silent", stopping: stop.signal });
  const telemetry = { ...told.telemetry, ...(options.tracer && { tracer: options.tracer }) };
  const { log } = telemetry;
  const engine = opened.use(
    openEngine(options.queueUrl ?? NO_ENGINE, {
      log,
      ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
    }),
  );
  const store = openRunStore(database);
  const dispatcher = options.dispatching
    ? opened.use(await startDispatcher({ store, engine, telemetry }))
    : { nudge() {}, takes: false, take() {} };
  const jobWatch = opened.use(
    openJobWatch({
      changedSince: (runIds, changeNo) => changedSince(database.kysely, runIds, changeNo),
      log,
    }),
  );
  const requests = createRequests({ store, dispatcher });
  const deps: AppDeps = {
    database,
    stockChanges: groupStockChanges({ database, requests, dispatcher }),
    renderWishes: groupRenderWishes({ database, requests }),
    jobWishes: groupJobWishes(requests),
    keys: parseKeyRing(`test:${randomBytes(32).toString("base64")}`),
    documents,
    engine,
    dispatcher,
    jobWatch,
    admission: { admit() {} },
    telemetry,
    requests,
    ...(options.heartbeatMs === undefined ? {} : { heartbeatMs: options.heartbeatMs }),
    limits: { requestsPerMinute: 10_000, bodyBytes: 1_048_576, ...options.limits },
  };
  const server = opened.use(await listen(createApp(deps), { host: "127.0.0.1", port: 0 }));
  opened.defer(() => stop.abort()); // ends event streams, before the server waits for them

  const keyFor = async (companyId: string | null, scopes: ApiScope[] = ALL_SCOPES) =>
    (await createApiKey(database.kysely, { name: "test", companyId, scopes })).key;
  const adminKey = await keyFor(null);
  const api = client(server.url, adminKey);
  const kept = opened.move();
  return {
    url: server.url,
    deps,
    database,
    databaseUrl,
    documents,
    engine,
    store,
    jobWatch,
    telemetry,
    endpoints: endpoints(deps),
    stop: () => stop.abort(),
    keyFor,
    adminKey,
    api,
    as: (key: string) => client(server.url, key),
    /** A company with a customer, and what an invoice for them is. */
    async tenant() {
      const [companyId, customerId] = [randomUUID(), randomUUID()];
      await api.put(`/v1/companies/${companyId}`, companyExample).expect(201);
      await api.put(`/v1/customers/${customerId}`, { ...customerExample, companyId }).expect(201);
      return { companyId, customerId, draft: { ...draftExample, customerId, companyId } };
    },
    /** An issued invoice of a company of its own. */
    async issued() {
      const tenant = await this.tenant();
      const invoiceId = randomUUID();
      await api.put(`/v1/invoices/${invoiceId}`, tenant.draft).expect(201);
      await api.post(`/v1/invoices/${invoiceId}/issue`).expect(200);
      return { ...tenant, invoiceId };
    },
    /** A company with articles, and an account at which all of them are listed. */
    async shop(skus: readonly string[] = ["STONE-20", "STONE-40"]) {
      const tenant = await this.tenant();
      const { companyId } = tenant;
      await upsertProducts(
        database.kysely,
        skus.map((sku) => ({ companyId, sku, name: sku, unitPriceMinor: 100n, currency: "EUR" })),
      );
      const accountId = randomUUID();
      const path = `/v1/marketplace-accounts/${accountId}`;
      await api.put(path, { ...accountExample, companyId }).expect(201);
      const listings = skus.map((sku) => ({ sku, externalId: `x-${sku}` }));
      await api.put(`${path}/listings`, { listings }).expect(200);
      return { ...tenant, accountId, path };
    },
    dispose: () => kept.disposeAsync(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

export type Api = Awaited<ReturnType<typeof setup>>;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what the wire brings has the type the test expects
  readonly body: any;
}

type Call = Promise<Reply> & { expect(status: number): Promise<Reply> };

/** Plain HTTP, as any caller would. */
export function client(url: string, key: string | undefined) {
  const call = (method: string, path: string, init: RequestInit = {}): Call => {
    const reply = (async () => {
      const response = await fetch(`${url}${path}`, {
        ...init,
        method,
        headers: {
          // A kept connection may be closed by the server just when this busy process uses it again.
          Connection: "close",
          ...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
          ...(init.headers as Record<string, string> | undefined),
        },
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get("content-type") ?? "");
      const body: unknown = isJson && text !== "" ? JSON.parse(text) : undefined;
      return { status: response.status, headers: response.headers, text, body };
    })();
    return Object.assign(reply, {
      async expect(status: number) {
        const got = await reply;
        if (got.status !== status)
          throw new Error(`${method} ${path}: expected ${status}, got ${got.status} ${got.text}`);
        return got;
      },
    });
  };
  const json = (body: unknown, headers: Record<string, string> = {}): RequestInit =>
    body === undefined
      ? { headers }
      : {
          body: JSON.stringify(body),
          headers: { "Content-Type": "application/json", ...headers },
        };
  return {
    call,
    get: (path: string, headers?: Record<string, string>) =>
      call("GET", path, { headers: headers ?? {} }),
    put: (path: string, body: unknown) => call("PUT", path, json(body)),
    post: (path: string, body?: unknown, headers?: Record<string, string>) =>
      call("POST", path, json(body, headers)),
    delete: (path: string) => call("DELETE", path),
  };
}
