import { randomBytes, randomUUID } from "node:crypto";
import { upsertCompany, upsertProducts } from "@ballast/database";
import {
  type MarketplaceDouble,
  type MarketplaceDoubleOptions,
  sampleCompany,
  startMarketplaceDouble,
  until,
} from "@ballast/testing";
import { sql } from "kysely";
import { numberOf } from "./count.ts";
import type { Stack } from "./stack/stack.ts";

/** What API and marketplace worker need to keep credentials and to reach a double on this machine. */
export const marketplaceEnv = (): Record<string, string> => ({
  MARKETPLACE_KEYS: `drill:${randomBytes(32).toString("base64")}`,
  MARKETPLACE_ALLOW_PRIVATE: "yes",
});

export interface ShopOptions extends Omit<MarketplaceDoubleOptions, "stock"> {
  readonly articles: number;
  /** Items that one call takes, where the kind leaves that to settings. */
  readonly maxBatch?: number;
  /** Further fields of the account. */
  readonly account?: object;
}

/** A company whose articles are all listed at a marketplace of its own. */
export interface Shop extends AsyncDisposable {
  readonly market: MarketplaceDouble;
  readonly companyId: string;
  readonly accountId: string;
  /** Of the account in the API. */
  readonly path: string;
  readonly skus: readonly string[];
  /** Set stock, up to 10,000 articles at once; remembers what the marketplace is to hold in the end. */
  set(items: ReadonlyArray<{ sku: string; quantity: number }>): ReturnType<Stack["api"]["post"]>;
  /** Articles of which the marketplace holds something else than was set last. */
  untold(): number;
  /** Resolves once there is none; with the milliseconds that took, or `undefined` after the deadline. */
  untilTold(deadlineMs: number): Promise<number | undefined>;
}

export async function openShop(stack: Stack, options: ShopOptions): Promise<Shop> {
  const { articles, maxBatch, account, ...doubleOptions } = options;
  const skus = Array.from({ length: articles }, (_, n) => `SKU${n}`);
  const stock = Object.fromEntries(skus.map((sku) => [sku, 0]));
  const market = await startMarketplaceDouble({ ...doubleOptions, stock });
  const { kysely } = stack.db;
  const { id: companyId } = await upsertCompany(kysely, sampleCompany());
  await upsertProducts(
    kysely,
    skus.map((sku) => ({ companyId, sku, name: sku, unitPriceMinor: 100n, currency: "EUR" })),
  );
  const accountId = randomUUID();
  const path = `/v1/marketplace-accounts/${accountId}`;
  const { settings, credentials } = market.account;
  const push = (settings as { push?: object }).push;
  await accepted(
    stack.api.put(path, {
      companyId,
      kind: market.kind,
      name: `drill ${accountId}`,
      settings: maxBatch === undefined ? settings : { ...settings, push: { ...push, maxBatch } },
      credentials,
      ...account,
    }),
  );
  const listings = skus.map((sku) => ({ sku, externalId: market.externalId(sku) }));
  await accepted(stack.api.put(`${path}/listings`, { listings }));

  const wanted = new Map<string, number>();
  const untold = () =>
    [...wanted].filter(([sku, quantity]) => market.stock.get(sku) !== quantity).length;
  return {
    market,
    companyId,
    accountId,
    path,
    skus,
    async set(items) {
      const reply = await stack.api.post("/v1/stock", { companyId, items });
      if (reply.status === 200) for (const { sku, quantity } of items) wanted.set(sku, quantity);
      return reply;
    },
    untold,
    async untilTold(deadlineMs) {
      const began = performance.now();
      return await until(() => untold() === 0, { deadlineMs, intervalMs: 20 }).then(
        () => Math.round(performance.now() - began),
        () => undefined,
      );
    },
    [Symbol.asyncDispose]: () => market[Symbol.asyncDispose](),
  };
}

/** Attempts that failed and count, of all runs of the stack. */
export const attemptsBurned = ({ db }: Stack): Promise<number> =>
  numberOf(db, sql`job_attempts WHERE outcome IN ('retry', 'dead', 'lost')`);

/** Letters, whatever became of them. */
export const letters = ({ db }: Stack): Promise<number> => numberOf(db, sql`dead_letters`);

async function accepted(reply: ReturnType<Stack["api"]["put"]>): Promise<void> {
  const { status, body } = await reply;
  if (status >= 300) throw new Error(`the API answers ${status}: ${JSON.stringify(body)}`);
}
