import { PermanentError } from "@ballast/jobs";
import type { ItemOutcome, StockItem } from "./adapter.ts";
import { failed, rejected } from "./outcomes.ts";

type Push = (items: readonly StockItem[]) => Promise<readonly ItemOutcome[]>;

/**
 * Push a batch to an API that refuses a whole batch for one bad item: halve what was refused until the bad
 * one stands alone, and is rejected.
 *
 * Costs about 2 log2(n) calls more for a bad item, and is bounded by four times that: what is left then
 * fails, and is asked again with the next push.
 *
 * @throws what `push` threw, unless it was the refusal of this very request
 */
export async function pushAround(
  items: readonly StockItem[],
  push: Push,
): Promise<readonly ItemOutcome[]> {
  let callsLeft = 1 + 8 * Math.ceil(Math.log2(Math.max(2, items.length)));
  let accepted = 0;
  let refusal: PermanentError | undefined;

  async function attempt(part: readonly StockItem[]): Promise<readonly ItemOutcome[]> {
    if (callsLeft === 0)
      return part.map((item) =>
        failed(item, "not_sent", "too many items of its batch were refused one by one"),
      );
    callsLeft--;
    try {
      const outcomes = await push(part);
      accepted++;
      return outcomes;
    } catch (error) {
      if (!(error instanceof PermanentError && error.code === "request_refused")) throw error;
      refusal = error;
      const [only] = part;
      if (part.length === 1 && only) return [rejected(only, error.code, error.message)];
      const middle = Math.ceil(part.length / 2);
      return [...(await attempt(part.slice(0, middle))), ...(await attempt(part.slice(middle)))];
    }
  }

  const outcomes = await attempt(items);
  // Nothing at all was taken: it is not the items, it is how they are told.
  if (refusal !== undefined && accepted === 0 && items.length > 1) throw refusal;
  return outcomes;
}
