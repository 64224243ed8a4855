import { setTimeout as pauseFor } from "node:timers/promises";
import {
  type MarketplaceCredentials,
  type MarketplaceKind,
  type MarketplaceSettings,
  marketplaces,
} from "@ballast/contracts";
import { PermanentError } from "@ballast/jobs";
import { z } from "zod";
import type { RemoteHttp } from "../http/remote-http.ts";
import { AccessTokens } from "./access-token.ts";
import type { AdapterDeps, MarketplaceAdapter, SharedDeps } from "./adapter.ts";
import { amazonAdapter } from "./amazon.ts";
import { ebayAdapter } from "./ebay.ts";
import { genericRestAdapter } from "./generic-rest.ts";
import { shopifyAdapter } from "./shopify.ts";
import { woocommerceAdapter } from "./woocommerce.ts";

const adapters: {
  readonly [Kind in MarketplaceKind]: (deps: AdapterDeps<Kind>) => MarketplaceAdapter;
} = {
  shopify: shopifyAdapter,
  woocommerce: woocommerceAdapter,
  amazon: amazonAdapter,
  ebay: ebayAdapter,
  "generic-rest": genericRestAdapter,
};

export interface OpenAdapterOptions extends Pick<SharedDeps, "guard" | "http"> {
  readonly kind: MarketplaceKind;
  /** As stored: checked again, since an older release may have written them. */
  readonly settings: unknown;
  readonly credentials: unknown;
  /** Give the same to every account of a process, so that a token outlives the push that fetched it. */
  readonly tokens?: AccessTokens;
  /** For tests, which do not wait for feeds. */
  readonly pause?: SharedDeps["pause"];
}

/**
 * The adapter of one account. Opening asks nobody anything; open it for each job.
 *
 * @throws {PermanentError} `account_invalid`, naming each field that is wrong and no value of it
 */
export function openAdapter({
  kind,
  settings,
  credentials,
  guard,
  http,
  tokens = new AccessTokens(),
  pause = (ms, signal) => pauseFor(ms, undefined, { signal }),
}: OpenAdapterOptions): MarketplaceAdapter {
  return opened(kind, { settings, credentials }, { guard, http, tokens, pause });
}

function opened<Kind extends MarketplaceKind>(
  kind: Kind,
  account: { readonly settings: unknown; readonly credentials: unknown },
  shared: SharedDeps,
): MarketplaceAdapter {
  const parsed = z.object(marketplaces[kind]).safeParse(account);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    throw new PermanentError(
      "account_invalid",
      `this ${kind} account is not set up: ${wrong.join("; ")}`,
    );
  }
  const { settings, credentials } = parsed.data as {
    settings: MarketplaceSettings<Kind>;
    credentials: MarketplaceCredentials<Kind>;
  };
  const http = discreet(shared.http, Object.values(credentials));
  return bounded(adapters[kind]({ settings, credentials, ...shared, http }));
}

/** Shorter ones would be found in innocent words. */
const MIN_SECRET_LENGTH = 8;

/** Takes the account's credentials out of every answer, before anything of it becomes a message. */
function discreet(http: RemoteHttp, credentials: readonly string[]): RemoteHttp {
  const own = credentials.filter(({ length }) => length >= MIN_SECRET_LENGTH);
  return {
    ...http,
    request: ({ secrets = [], ...request }, signal) =>
      http.request({ ...request, secrets: [...own, ...secrets] }, signal),
  };
}

/** Nothing to tell asks nobody, and too much is a mistake of ours. */
const bounded = (adapter: MarketplaceAdapter): MarketplaceAdapter => ({
  ...adapter,
  async push(items, signal) {
    if (items.length > adapter.maxBatch)
      throw new RangeError(`${adapter.kind} takes ${adapter.maxBatch} items, not ${items.length}`);
    return items.length === 0 ? [] : adapter.push(items, signal);
  },
});
