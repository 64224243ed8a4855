import { DependencyDownError, RateLimitedError, TransientError } from "@ballast/jobs";
import { words } from "../http/failures.ts";
import type { ItemOutcome, StockItem } from "./adapter.ts";

const MAX_CODE_LENGTH = 60;

export const confirmed = ({ sku, quantity }: StockItem): ItemOutcome => ({
  sku,
  outcome: "confirmed",
  quantity,
});

export const failed = ({ sku }: StockItem, code: string, message: string): ItemOutcome => ({
  sku,
  outcome: "failed",
  code: asCode(code),
  message: words(message).slice(2),
});

export const rejected = ({ sku }: StockItem, code: string, message: string): ItemOutcome => ({
  sku,
  outcome: "rejected",
  code: asCode(code),
  message: words(message).slice(2),
});

/** Their id has not the form that the marketplace's ids have, so asking could reach something else. */
export const unusable = (item: StockItem, form: string): ItemOutcome =>
  rejected(item, "invalid_external_id", `the listing's external id must be ${form}`);

/** The answer did not speak of this item. */
export const noResult = (item: StockItem): ItemOutcome =>
  failed(item, "no_result", "the marketplace's answer does not speak of this item");

/** Somebody else's code as one of ours: `QuotaExceeded` and `INVALID-ID` read alike. */
export const asCode = (code: string): string =>
  code
    .replace(/([a-z\d])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^a-z\d]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, MAX_CODE_LENGTH) || "unknown";

interface PartsOptions {
  /** Calls at a time. Default 1. */
  readonly concurrency?: number;
  /** Begin no call after this time, so that whoever pushes gets to look around. Default: never. */
  readonly untilMs?: number;
  readonly now?: () => number;
}

/**
 * Push in parts, one call each, and keep what was settled when a later call fails.
 *
 * @returns an outcome for each item of `items`, in their order
 * @throws what a call threw if nothing was settled before, since then there is nothing to keep
 */
export async function pushParts(
  items: readonly StockItem[],
  parts: Iterable<readonly StockItem[]>,
  push: (part: readonly StockItem[]) => Promise<readonly ItemOutcome[]>,
  { concurrency = 1, untilMs = Number.POSITIVE_INFINITY, now = Date.now }: PartsOptions = {},
): Promise<readonly ItemOutcome[]> {
  const outcomes = new Map<StockItem, ItemOutcome>();
  const errors: unknown[] = [];
  const waiting = parts[Symbol.iterator]();
  const work = async () => {
    while (errors.length === 0 && now() < untilMs) {
      const { value: part, done } = waiting.next();
      if (done) return;
      try {
        const settled = await push(part);
        for (const [n, item] of part.entries()) outcomes.set(item, settled[n] ?? noResult(item));
      } catch (error) {
        errors.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  const fatal = errors.find((error) => !endsCalls(error));
  if (fatal !== undefined) throw fatal;
  if (errors.length > 0 && outcomes.size === 0) throw errors[0];
  return items.map((item) => outcomes.get(item) ?? notSent(item));
}

/** The remote is away, busy or silly: what came before stands all the same. Others, an abort first, pass. */
const endsCalls = (error: unknown): boolean =>
  error instanceof RateLimitedError ||
  error instanceof DependencyDownError ||
  error instanceof TransientError;

const notSent = (item: StockItem): ItemOutcome =>
  failed(
    item,
    "not_sent",
    "the calls of this push ended before its turn, nothing was asked about it",
  );

/** Slices of at most `size`. */
export function* slices<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
