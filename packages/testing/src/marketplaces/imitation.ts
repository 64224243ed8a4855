import type { MarketplaceKind } from "@ballast/contracts";
import type { BucketAnswer } from "../token-bucket.ts";
import type { Shelf } from "./shelf.ts";

/** What came in. */
export interface Call {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body, parsed; `undefined` if it is no JSON. */
  readonly json: unknown;
}

/** What goes out; bytes and texts as they are, everything else as JSON. */
export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | number>>;
}

/** What an imitation may look at and change. */
export interface World {
  readonly url: string;
  readonly shelf: Shelf;
  readonly quota: { readonly burst: number; readonly perSecond: number };
  /** No credential is taken now. */
  readonly isLockedOut: boolean;
  /** Take from the quota. */
  take(cost?: number): BucketAnswer;
  /** Count a refusal for the quota, and remember when the caller was asked to come back. */
  throttled(retryAfterMs?: number): void;
  /** `Retry-After`, in the form that was chosen. Counts as {@link throttled}. */
  retryAfter(waitMs: number): Readonly<Record<string, string>>;
  /** Count a write of stock and its items. */
  wrote(items: number): void;
}

/** One marketplace's API: its routes, its words, its ways to refuse. */
export interface Imitation {
  readonly kind: MarketplaceKind;
  /** Its default, in its own units. */
  readonly quota: { readonly burst: number; readonly perSecond: number };
  /** The id of the n-th listing. */
  readonly idOf: (sku: string, n: number) => string;
  /** What an account needs to reach it, as the API of Ballast takes it. */
  readonly account: (world: Pick<World, "url">) => {
    readonly settings: Readonly<Record<string, unknown>>;
    readonly credentials: Readonly<Record<string, string>>;
  };
  /** Calls that are no use of the API proper: tokens, stores of documents. They are not counted. */
  readonly isAside?: (call: Call) => boolean;
  readonly answer: (call: Call, world: World) => Answer;
  /** Access tokens given so far are good no longer; for APIs that have some. */
  readonly endTokens?: () => void;
}

export const header = ({ headers }: Call, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
};

export const object = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const isStock = (quantity: unknown): quantity is number =>
  Number.isSafeInteger(quantity) && (quantity as number) >= 0;
