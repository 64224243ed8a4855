import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { tokenBucket } from "./token-bucket.ts";

/** How it treats requests: as it should, with 503, by breaking the connection, or failing some of them. */
export type MarketplaceMode = "up" | "unavailable" | "reset" | "flaky";

export interface MarketplaceDoubleOptions {
  /** Articles it knows, with their stock; any other SKU gets an error of its own. */
  readonly stock: Readonly<Record<string, number>>;
  /** Default `marketplace-token`. */
  readonly token?: string;
  /** Requests at once, and per second after that. Default 10 and 5. */
  readonly quota?: { readonly burst: number; readonly perSecond: number };
  /** Decides which requests fail while it is flaky: the same seed, the same ones. Default 1. */
  readonly seed?: number;
}

export interface MarketplaceDouble extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  /** What it holds now. */
  readonly stock: ReadonlyMap<string, number>;
  setMode(mode: MarketplaceMode): void;
}

const maxItems = 100;
const modes: readonly string[] = ["up", "unavailable", "reset", "flaky"];
const flakyShare = 0.3;

/**
 * Start a marketplace on a free port of loopback that behaves as real ones do.
 *
 * `POST /stock` takes up to 100 `{ sku, quantity }` and answers 200 with a result per item; `GET /stock`
 * lists. Both want the bearer token and cost one request of the quota; beyond it comes 429 with
 * `Retry-After`. `POST /_control {"mode": …}` switches outages and costs nothing.
 */
export async function startMarketplaceDouble(
  options: MarketplaceDoubleOptions,
): Promise<MarketplaceDouble> {
  const token = options.token ?? "marketplace-token";
  const quota = options.quota ?? { burst: 10, perSecond: 5 };
  const stock = new Map(Object.entries(options.stock));
  const take = tokenBucket(quota.burst, quota.perSecond);
  const random = seeded(options.seed ?? 1);
  let mode: MarketplaceMode = "up";

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, body: unknown) =>
      void response
        .writeHead(status, { "Content-Type": "application/json" })
        .end(JSON.stringify(body));
    const refuse = (status: number, code: string, message: string) =>
      send(status, { error: { code, message } });

    const route = `${request.method} ${request.url}`;
    const authorized = request.headers.authorization === `Bearer ${token}`;
    if (route !== "POST /_control") {
      if (mode === "reset") return void request.socket.destroy();
      if (mode === "unavailable" || (mode === "flaky" && random() < flakyShare)) {
        return refuse(503, "unavailable", "maintenance in progress");
      }
    }
    if (!authorized) return refuse(401, "unauthorized", "a valid bearer token is needed");

    if (route === "POST /_control") {
      const wanted = ((await json(request)) as { mode?: unknown } | null)?.mode;
      if (typeof wanted !== "string" || !modes.includes(wanted)) {
        return refuse(422, "invalid_mode", `mode must be one of ${modes.join(", ")}`);
      }
      mode = wanted as MarketplaceMode;
      return send(200, { mode });
    }

    const { granted, remaining, retryAfterMs, resetMs } = take();
    response.setHeader("RateLimit-Limit", quota.burst);
    response.setHeader("RateLimit-Remaining", remaining);
    response.setHeader("RateLimit-Reset", Math.ceil(resetMs / 1_000));
    if (!granted) {
      response.setHeader("Retry-After", Math.ceil(retryAfterMs / 1_000));
      return refuse(429, "too_many_requests", "the quota is used up");
    }

    if (route === "GET /stock") {
      return send(200, { items: [...stock].map(([sku, quantity]) => ({ sku, quantity })) });
    }
    if (route !== "POST /stock") return refuse(404, "not_found", `there is no ${route}`);
    const items = ((await json(request)) as { items?: unknown } | null)?.items;
    if (!Array.isArray(items)) return refuse(422, "invalid_body", "items must be an array");
    if (items.length > maxItems) {
      return refuse(422, "too_many_items", `at most ${maxItems} items, not ${items.length}`);
    }
    send(200, { results: items.map((item) => write(stock, item)) });
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: Error) => {
      if (!response.headersSent) response.writeHead(400, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ error: { code: "bad_request", message: error.message } }));
    });
  });
  await new Promise<void>((ready, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", ready);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    stock,
    setMode(wanted) {
      mode = wanted;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
}

/** One item's outcome; one bad item does not spoil the others. */
function write(stock: Map<string, number>, item: unknown): Record<string, unknown> {
  const { sku, quantity } = (item ?? {}) as { sku?: unknown; quantity?: unknown };
  const failed = (code: string, message: string) => ({
    sku,
    status: "error",
    error: { code, message },
  });
  if (typeof sku !== "string" || !stock.has(sku)) return failed("unknown_sku", `no article ${sku}`);
  if (!Number.isSafeInteger(quantity) || (quantity as number) < 0) {
    return failed("invalid_quantity", "quantity must be a whole number from 0 up");
  }
  stock.set(sku, quantity as number);
  return { sku, status: "ok" };
}

/** Park and Miller's generator: in [0, 1), and the same for the same seed. */
function seeded(seed: number): () => number {
  let state = (Math.abs(Math.trunc(seed)) % 2_147_483_646) + 1;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return (state - 1) / 2_147_483_646;
  };
}
