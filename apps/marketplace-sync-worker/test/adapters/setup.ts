import { type MarketplaceKind, pushStock } from "@ballast/contracts";
import type { RemoteGuard, Throttle } from "@ballast/jobs";
import {
  type MarketplaceDouble,
  type MarketplaceDoubleOptions,
  startMarketplaceDouble,
} from "@ballast/testing";
import { AccessTokens } from "../../src/adapters/access-token.ts";
import type { MarketplaceAdapter, StockItem } from "../../src/adapters/adapter.ts";
import { openAdapter } from "../../src/adapters/open-adapter.ts";
import { openRemoteHttp, type RemoteHttpOptions } from "../../src/http/remote-http.ts";
import { keptLog } from "../kept-log.ts";

/** Lets everything through and keeps what it was told. */
export function openGuard() {
  const throttles: Throttle[] = [];
  const costs: number[] = [];
  const guard: RemoteGuard = {
    admit: async () => {},
    async call({ cost = 1 }, call) {
      costs.push(cost);
      const { value, throttle } = await call();
      if (throttle !== undefined) throttles.push(throttle);
      return value;
    },
  };
  return { guard, throttles, costs };
}

interface Options extends MarketplaceDoubleOptions {
  readonly settings?: object;
  readonly credentials?: object;
  readonly http?: Partial<RemoteHttpOptions>;
  /** Told, before each look at a feed, how long it was waited for. */
  readonly beforeLook?: (market: MarketplaceDouble, waitedMs: number) => void;
}

export interface AdapterUnderTest extends AsyncDisposable {
  readonly market: MarketplaceDouble;
  readonly adapter: MarketplaceAdapter;
  readonly log: ReturnType<typeof keptLog>;
  readonly throttles: readonly Throttle[];
  readonly costs: readonly number[];
  /** What was waited for feeds. No time passes, and yet an attempt ends when its own is over. */
  waitedMs(): number;
  /** A listing that the marketplace has. */
  item(sku: string, quantity: number, more?: Partial<StockItem>): StockItem;
  /** One it never had. */
  unknown(sku: string): StockItem;
  push(...items: readonly StockItem[]): ReturnType<MarketplaceAdapter["push"]>;
  listAll(): Promise<Record<string, number>>;
}

/** One adapter in front of the double of its marketplace. */
export async function setup(options: Options): Promise<AdapterUnderTest> {
  const market = await startMarketplaceDouble(options);
  const log = keptLog();
  const http = openRemoteHttp({ log, allowPrivate: true, ...options.http });
  const { guard, throttles, costs } = openGuard();
  const attempt = new AbortController();
  const { signal } = attempt;
  let waitedMs = 0;
  const adapter = openAdapter({
    kind: market.kind,
    settings: { ...market.account.settings, ...options.settings },
    credentials: { ...market.account.credentials, ...options.credentials },
    guard,
    http,
    tokens: new AccessTokens(),
    pause: async (ms, signal) => {
      waitedMs += ms;
      if (waitedMs >= pushStock.timeoutMs) attempt.abort(new Error("attempt_timeout"));
      signal.throwIfAborted();
      options.beforeLook?.(market, waitedMs);
    },
  });
  return {
    market,
    adapter,
    log,
    throttles,
    costs,
    waitedMs: () => waitedMs,
    item: (sku, quantity, more) => ({
      sku,
      externalId: market.externalId(sku),
      quantity,
      ...more,
    }),
    unknown: (sku) => ({ sku, externalId: strangers[market.kind], quantity: 1 }),
    push: (...items) => adapter.push(items, signal),
    async listAll() {
      const found: Record<string, number> = {};
      let cursor: string | undefined;
      do {
        const { items, next } = await adapter.list(cursor, signal);
        for (const { externalId, quantity } of items) found[externalId] = quantity;
        cursor = next;
      } while (cursor !== undefined);
      return found;
    },
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await market[Symbol.asyncDispose]();
    },
  };
}

const strangers: Record<MarketplaceKind, string> = {
  shopify: "gid://shopify/InventoryItem/1",
  woocommerce: "1",
  amazon: "STRANGER",
  ebay: "STRANGER",
  "generic-rest": "STRANGER",
};

/** `SKU0` to `SKU<count - 1>`, all out of stock. */
export const emptyStock = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`SKU${n}`, 0]));
