import { setTimeout as pause } from "node:timers/promises";
import { RateLimitedError, TransientError } from "@ballast/jobs";
import type { ListedPage, MarketplaceAdapter } from "../adapters/adapter.ts";

/** Beyond this the other side lists in circles, or the comparison outgrows this process. */
const MOST_ARTICLES = 1_000_000;
/** A longer one is better waited for in the queue, although reading then begins anew. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Read all that a marketplace holds, by its ids. A quota that runs out on the way is waited for, since an hour of
 * pages would never end if each refusal began it anew.
 */
export async function readShelf(
  adapter: MarketplaceAdapter,
  { signal, onPage }: { readonly signal: AbortSignal; readonly onPage?: (listed: number) => void },
): Promise<Map<string, number>> {
  const held = new Map<string, number>();
  let cursor: string | undefined;
  do {
    const page = await patiently(() => adapter.list(cursor, signal), signal);
    for (const { externalId, quantity } of page.items) held.set(externalId, quantity);
    onPage?.(held.size);
    if (page.next !== undefined && (page.next === cursor || held.size > MOST_ARTICLES))
      throw new TransientError(
        "answer_unexpected",
        `${adapter.kind} lists without an end: ${held.size} articles so far`,
      );
    cursor = page.next;
  } while (cursor !== undefined);
  return held;
}

async function patiently(
  list: () => Promise<ListedPage>,
  signal: AbortSignal,
): Promise<ListedPage> {
  for (;;) {
    try {
      return await list();
    } catch (error) {
      if (!(error instanceof RateLimitedError) || error.retryAfterMs > LONGEST_WAIT_MS) throw error;
      await pause(error.retryAfterMs, undefined, { signal });
    }
  }
}
