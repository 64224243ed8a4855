import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import type { MarketplaceKind } from "@ballast/contracts";
import { tokenBucket } from "../token-bucket.ts";
import { amazonImitation } from "./amazon.ts";
import { control } from "./control.ts";
import { type CallCounts, openCounts } from "./counts.ts";
import { ebayImitation } from "./ebay.ts";
import { genericRestImitation } from "./generic-rest.ts";
import type { Answer, Call, Imitation, World } from "./imitation.ts";
import { type MarketplaceMode, misbehave } from "./modes.ts";
import { seeded } from "./seeded.ts";
import { type Listing, openShelf } from "./shelf.ts";
import { shopifyImitation } from "./shopify.ts";
import { woocommerceImitation } from "./woocommerce.ts";

export interface MarketplaceDoubleOptions {
  /** Whose API it speaks. Default `generic-rest`. */
  readonly kind?: MarketplaceKind;
  /** Articles it knows, by our SKU, with their stock; any other gets an error of its own. */
  readonly stock: Readonly<Record<string, number>>;
  /** Bearer token of `/_control`, and of the API where the kind is `generic-rest`. Default `marketplace-token`. */
  readonly token?: string;
  /** Requests (Shopify: points) at once, and per second after that. The default is the marketplace's own. */
  readonly quota?: { readonly burst: number; readonly perSecond: number };
  /** Decides which requests fail while it is flaky, and which stock drifts. Default 1. */
  readonly seed?: number;
  /** How `Retry-After` is written. Default `seconds`. */
  readonly retryAfter?: "seconds" | "date";
  /** What it answers beyond its quota, where the kind is `generic-rest`. Default 429. */
  readonly throttleStatus?: 422 | 429;
  /** Looks at a feed before the one that finds it done, where the kind is `amazon`. Default 1. */
  readonly feedLooks?: number;
  /** How late it answers while it is slow. Default 2,000. */
  readonly slowMs?: number;
  /** Resolves when it is to answer while it is slow, instead of `slowMs`. */
  readonly slowUntil?: Promise<unknown>;
}

export interface MarketplaceDouble extends AsyncDisposable {
  readonly kind: MarketplaceKind;
  readonly url: string;
  readonly token: string;
  /** What an account needs to reach it, as `PUT /v1/marketplace-accounts/{id}` takes it. */
  readonly account: ReturnType<Imitation["account"]>;
  /** What it holds now, by our SKU. */
  readonly stock: ReadonlyMap<string, number>;
  readonly listings: readonly Listing[];
  externalId(sku: string): string;
  setMode(mode: MarketplaceMode): void;
  setQuota(quota: { readonly burst: number; readonly perSecond: number }): void;
  /** Change a share of the stock by itself. Returns the SKUs. */
  drift(share: number): readonly string[];
  /** These stay at what they hold, whatever is written. */
  fightBack(skus: readonly string[]): void;
  /** Access tokens given so far are good no longer. */
  endTokens(): void;
  counts(): CallCounts;
}

const imitations: {
  readonly [Kind in MarketplaceKind]: (options: MarketplaceDoubleOptions) => Imitation;
} = {
  shopify: shopifyImitation,
  woocommerce: woocommerceImitation,
  amazon: amazonImitation,
  ebay: ebayImitation,
  "generic-rest": genericRestImitation,
};

/**
 * Start a marketplace on a free port of loopback that behaves as real ones do: it has limits, refuses single
 * items, lets tokens end, and goes down when told. `/_control` does from outside what the methods do.
 */
export async function startMarketplaceDouble(
  options: MarketplaceDoubleOptions,
): Promise<MarketplaceDouble> {
  const {
    kind = "generic-rest",
    token = "marketplace-token",
    seed = 1,
    slowMs = 2_000,
    slowUntil,
  } = options;
  const imitation = imitations[kind]({ ...options, token });
  const random = seeded(seed);
  const shelf = openShelf(options.stock, { seed, idOf: imitation.idOf });
  const counts = openCounts();
  let mode: MarketplaceMode = "up";
  let quota = options.quota ?? imitation.quota;
  let take = tokenBucket(quota.burst, quota.perSecond);

  const world: World = {
    get url() {
      return url;
    },
    shelf,
    get quota() {
      return quota;
    },
    get isLockedOut() {
      return mode === "auth-failing";
    },
    take: (cost) => take(cost),
    throttled: counts.throttled,
    retryAfter(waitMs) {
      const seconds = Math.ceil(waitMs / 1_000);
      const until = Math.ceil((Date.now() + waitMs) / 1_000) * 1_000;
      const isDate = options.retryAfter === "date";
      counts.throttled(isDate ? until - Date.now() : seconds * 1_000);
      return { "Retry-After": isDate ? new Date(until).toUTCString() : String(seconds) };
    },
    wrote: counts.wrote,
  };
  const double: Omit<MarketplaceDouble, "url" | "account" | typeof Symbol.asyncDispose> = {
    kind,
    token,
    stock: shelf.stock,
    listings: shelf.listings,
    externalId: shelf.externalId,
    setMode(wanted) {
      mode = wanted;
    },
    setQuota(wanted) {
      quota = wanted;
      take = tokenBucket(quota.burst, quota.perSecond);
    },
    drift: shelf.drift,
    fightBack: shelf.fightBack,
    endTokens: () => imitation.endTokens?.(),
    counts: counts.read,
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await read(request);
    if (call.path === "/_control") return send(response, control(call, double, mode));
    const isAside = imitation.isAside?.(call) === true;
    if (!isAside) counts.called();
    if (misbehave(mode, response, random)) return;
    const answer = imitation.answer(call, world);
    if (mode === "slow") await (slowUntil ?? pause(slowMs, undefined, { ref: false }));
    send(response, answer);
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: Error) => {
      if (!response.headersSent) response.writeHead(400, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ error: { code: "bad_request", message: error.message } }));
    });
  });
  await new Promise<void>((ready, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", ready);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...double,
    url,
    account: imitation.account({ url }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
}

async function read(request: IncomingMessage): Promise<Call> {
  const { method = "", url = "/", headers } = request;
  const { pathname, searchParams } = new URL(url, "http://double");
  const body = await text(request);
  return { method, path: pathname, query: searchParams, headers, text: body, json: parsed(body) };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const isRaw = typeof body === "string" || Buffer.isBuffer(body);
  response.writeHead(status, {
    ...(isRaw ? {} : { "Content-Type": "application/json" }),
    ...headers,
  });
  response.end(body === undefined || isRaw ? body : JSON.stringify(body));
}
