import type {
  MarketplaceCredentials,
  MarketplaceKind,
  MarketplaceSettings,
} from "@ballast/contracts";
import type { RemoteGuard, Throttle } from "@ballast/jobs";
import type { RemoteHttp, RemoteResponse } from "../http/remote-http.ts";
import type { AccessTokens } from "./access-token.ts";

/** One listing whose stock is to be told. */
export interface StockItem {
  /** Ours. */
  readonly sku: string;
  /** Theirs; its form is the marketplace's, see `@ballast/contracts`. */
  readonly externalId: string;
  /** What they shall hold; a whole number from 0. */
  readonly quantity: number;
  /** What they last confirmed, for an API that compares before it sets. */
  readonly confirmed?: number;
}

/** What became of one item; codes are stable and snake_case or the marketplace's own, lower case. */
export type ItemOutcome =
  | { readonly sku: string; readonly outcome: "confirmed"; readonly quantity: number }
  /** May work later, so it stays dirty. `not_sent`: nothing was asked about it, the calls ended before its turn. */
  | {
      readonly sku: string;
      readonly outcome: "failed";
      readonly code: string;
      readonly message: string;
    }
  /** Can never work as it is: unknown SKU, ended listing. To be parked. */
  | {
      readonly sku: string;
      readonly outcome: "rejected";
      readonly code: string;
      readonly message: string;
    };

/** What a marketplace holds. */
export interface ListedItem {
  readonly externalId: string;
  /** As they call it, if they hold one. */
  readonly sku?: string;
  readonly quantity: number;
}

export interface ListedPage {
  readonly items: readonly ListedItem[];
  /** Give it back for the next page; absent on the last one. */
  readonly next?: string;
}

/**
 * A marketplace's API. Each call it makes goes through its account's guard, which waits for quota and
 * knows whether the remote is away; nothing here retries, counts or sleeps for a quota.
 *
 * Both methods throw errors of `@ballast/jobs` where the whole call came to nothing: `RateLimitedError`
 * with the wait asked for, `DependencyDownError` (`auth_failed` if it lets nobody in), `TransientError` for an
 * answer that makes no sense, `PermanentError` for settings that can never work.
 */
export interface MarketplaceAdapter {
  readonly kind: MarketplaceKind;
  /** Items that one `push` takes at most. */
  readonly maxBatch: number;
  /**
   * Tell the stock of up to `maxBatch` items; absolute quantities, so that telling twice is harmless.
   *
   * Takes one call, or 20 s of calls, or up to 15 minutes where Amazon works on a feed: a job's timeout has to
   * allow for that.
   *
   * @returns one outcome for each item, in their order. Where several calls are needed and a later one
   *   fails, what was settled is returned and the rest is `failed` as `not_sent`: ask again and the error comes
   */
  push(items: readonly StockItem[], signal: AbortSignal): Promise<readonly ItemOutcome[]>;
  /** Read what they hold, a page at a time; `undefined` begins. */
  list(cursor: string | undefined, signal: AbortSignal): Promise<ListedPage>;
  /** Under which id `list` tells a listing, where an external id may be written in other ways. */
  idThere?(externalId: string): string;
  /** What an answer tells about the quota. */
  readThrottle(response: RemoteResponse): Throttle;
}

/** Waits, or rejects when `signal` aborts. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

/** What every adapter works with. */
export interface SharedDeps {
  readonly guard: RemoteGuard;
  readonly http: RemoteHttp;
  readonly tokens: AccessTokens;
  readonly pause: Pause;
}

/** What the adapter of a kind is made of. */
export interface AdapterDeps<Kind extends MarketplaceKind> extends SharedDeps {
  readonly settings: MarketplaceSettings<Kind>;
  readonly credentials: MarketplaceCredentials<Kind>;
}
