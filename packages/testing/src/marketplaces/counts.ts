/** How a marketplace was treated by those who call it. */
export interface CallCounts {
  /** Calls of the API proper, however they were answered; tokens and stores of documents are not among them. */
  readonly calls: number;
  /** Answers that refused for the quota, whatever their status. */
  readonly throttled: number;
  /** Calls that came before the time that a refusal had asked for. */
  readonly early: number;
  /** Calls that wrote stock, and the items in them. */
  readonly writes: number;
  readonly items: number;
  /** Milliseconds between the first call and the last. */
  readonly spanMs: number;
}

/** A call that left before the refusal could have arrived does not disobey it. */
const ON_ITS_WAY_MS = 100;

export function openCounts(now: () => number = () => performance.now()) {
  const counts = { calls: 0, throttled: 0, early: 0, writes: 0, items: 0 };
  let firstAt = 0;
  let lastAt = 0;
  let refusedAt = 0;
  let awaitedAt = 0;
  return {
    called() {
      const time = now();
      if (counts.calls === 0) firstAt = time;
      lastAt = time;
      counts.calls++;
      if (time < awaitedAt && time > refusedAt + ON_ITS_WAY_MS) counts.early++;
    },
    throttled(retryAfterMs = 0) {
      counts.throttled++;
      refusedAt = now();
      awaitedAt = Math.max(awaitedAt, refusedAt + retryAfterMs);
    },
    wrote(items: number) {
      counts.writes++;
      counts.items += items;
    },
    read: (): CallCounts => ({ ...counts, spanMs: Math.round(lastAt - firstAt) }),
  };
}
