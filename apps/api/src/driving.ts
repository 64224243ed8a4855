import { randomUUID } from "node:crypto";
import { type Log, startRounds } from "@ballast/jobs";

/** A driver that dies is followed by another after this time. */
const LEASE_MS = 5_000;
/** Between two looks while something is driven, and while nothing is. */
const STEP_MS = 200;
const IDLE_MS = 1_000;
/** Items dealt with side by side: one after the other, a busy database could not keep 50 a second. */
const LANES = 4;

interface Driven<Errand> {
  /** In words, e.g. `drive bulk replays`. */
  readonly what: string;
  /** Claim what this driver is to drive until the lease runs out. */
  claim(me: string, leaseMs: number): Promise<readonly Errand[]>;
  /** @param sideBySide errands that are driven at once, this one among them */
  step(errand: Errand, me: string, signal: AbortSignal, sideBySide: number): Promise<void>;
}

/** Drive what takes many steps, for ever; in every replica at once, and each by one of them at a time. */
export function startDriving<Errand>(
  { what, claim, step }: Driven<Errand>,
  log: Log,
): AsyncDisposable {
  const me = randomUUID();
  return startRounds({
    what,
    everyMs: IDLE_MS,
    log,
    async round(signal) {
      const errands = await claim(me, LEASE_MS);
      // One that cannot go on keeps no other from it.
      throwFirst(
        await Promise.allSettled(errands.map((errand) => step(errand, me, signal, errands.length))),
      );
      return errands.length > 0 ? STEP_MS : undefined;
    },
  });
}

/**
 * Deal with items in a few lanes side by side.
 *
 * @param deal returns false if its lane is to stop
 * @throws the first error, once every lane has come to its end
 */
export async function inLanes<Item>(
  items: readonly Item[],
  deal: (item: Item) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const left = items.values();
  const lane = async () => {
    // All lanes take from the one iterator.
    for (const item of left) if (signal.aborted || !(await deal(item))) return;
  };
  throwFirst(await Promise.allSettled(Array.from({ length: LANES }, lane)));
}

function throwFirst(ended: readonly PromiseSettledResult<unknown>[]): void {
  for (const one of ended) if (one.status === "rejected") throw one.reason;
}
