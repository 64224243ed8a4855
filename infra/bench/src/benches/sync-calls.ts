import { randomBytes, randomUUID } from "node:crypto";
import { upsertCompany, upsertProducts } from "@ballast/database";
import {
  type MarketplaceDouble,
  sampleCompany,
  startMarketplaceDouble,
  until,
} from "@ballast/testing";
import { Pool } from "undici";
import type { Bench, BenchContext } from "../bench.ts";
import { openServices } from "../services.ts";
import { atATime } from "../subject-program.ts";

const ARTICLES = 1_000;
const CONNECTIONS = 50;
const skus = Array.from({ length: ARTICLES }, (_, n) => `SKU${n}`);

/** What reaches a marketplace that counts calls, when stock changes more often than it needs to hear. */
export const syncCalls: Bench = {
  name: "sync-calls",
  about: "calls to a Shopify shop against one call per change: 10,000 changes of 1,000 articles",
  async run(context) {
    const changes = context.sized(2_000, 10_000);
    const ours = await callsOfOurs(context, changes);
    // One call per change is one call per change: counting them needs no shop.
    const theirs = changes;
    context.note(
      `${changes} changes of ${ARTICLES} articles: ${ours.calls} calls of ours, ${theirs} of one job per change`,
    );
    context.note(`all told ${Math.round(ours.toldAfterMs)} ms after the last change`);
    context.state({
      figure: "fewer calls",
      against: "one call per change",
      value: theirs / ours.calls,
      unit: "calls",
      // A short run has fewer changes to fold into the same calls.
      goal: { atLeast: context.sized(20, 100) },
      ours: ours.calls,
      theirs,
      rounds: 1,
    });
  },
};

async function callsOfOurs(context: BenchContext, changes: number) {
  const services = await openServices(context, {
    MARKETPLACE_KEYS: `bench:${randomBytes(32).toString("base64")}`,
    MARKETPLACE_ALLOW_PRIVATE: "yes",
  });
  const stock = Object.fromEntries(skus.map((sku) => [sku, 0]));
  const shop = context.use(await startMarketplaceDouble({ kind: "shopify", stock }));
  const api = await services.start("api");
  await services.start("marketplace-sync-worker");
  const http = new Pool(api.url, { connections: CONNECTIONS });
  const put = async (path: string, body: object) => {
    const answer = await http.request({
      method: "PUT",
      path,
      headers: services.headers,
      body: JSON.stringify(body),
    });
    const text = await answer.body.text();
    if (answer.statusCode >= 300)
      throw new Error(`PUT ${path} answers ${answer.statusCode}: ${text}`);
  };
  const { id: companyId } = await upsertCompany(services.db.kysely, sampleCompany());
  await upsertProducts(
    services.db.kysely,
    skus.map((sku) => ({ companyId, sku, name: sku, unitPriceMinor: 100n, currency: "EUR" })),
  );
  await openAccount(shop, companyId, put);

  const wanted = new Map<string, number>();
  await atATime(CONNECTIONS, changes, (n) => {
    const sku = skus[n % ARTICLES] ?? "";
    wanted.set(sku, n + 1);
    return put(`/v1/stock/${sku}`, { companyId, quantity: n + 1 });
  });
  const began = performance.now();
  await until(() => [...wanted].every(([sku, quantity]) => shop.stock.get(sku) === quantity), {
    deadlineMs: 60_000,
    intervalMs: 20,
  });
  const toldAfterMs = performance.now() - began;
  await http.close();
  return { calls: shop.counts().writes, toldAfterMs };
}

async function openAccount(
  shop: MarketplaceDouble,
  companyId: string,
  put: (path: string, body: object) => Promise<void>,
): Promise<void> {
  const path = `/v1/marketplace-accounts/${randomUUID()}`;
  await put(path, { companyId, kind: shop.kind, name: "bench", ...shop.account });
  const listings = skus.map((sku) => ({ sku, externalId: shop.externalId(sku) }));
  await put(`${path}/listings`, { listings });
}
