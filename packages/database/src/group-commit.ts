import { isDatabaseAway, sqlState } from "./pg-errors.ts";

interface Waiting<In, Out> {
  readonly one: In;
  readonly resolve: (out: Out) => void;
  readonly reject: (error: unknown) => void;
}

interface Queue<In, Out> {
  readonly waiting: Waiting<In, Out>[];
  underWay: number;
}

export interface GroupCommit<In, Out> {
  /** Those of one group have one key. */
  readonly keyOf: (one: In) => string;
  /**
   * Groups of one key that are committed at a time. One by default, each after the one before it; with two the
   * database works on one while we make up the other.
   */
  readonly underWay?: number;
  /** Commit a group in one transaction. @returns what became of each, in their order */
  readonly commit: (group: readonly In[]) => Promise<readonly Out[]>;
}

/** More in one transaction would let the first of them wait for long. */
const MOST = 1_000;

/**
 * Commit together whatever comes while others are being committed, so that many callers share one.
 *
 * What one of them holds fails that one alone: its group is then committed one by one.
 */
export function groupCommit<In, Out>(options: GroupCommit<In, Out>): (one: In) => Promise<Out> {
  const { keyOf, underWay: most = 1, commit } = options;
  const queues = new Map<string, Queue<In, Out>>();

  async function commitAll(key: string, queue: Queue<In, Out>): Promise<void> {
    queue.underWay += 1;
    // Whoever comes within this turn of the event loop is in the first group.
    await new Promise((turn) => setImmediate(turn));
    while (queue.waiting.length > 0) await settle(queue.waiting.splice(0, MOST));
    queue.underWay -= 1;
    if (queue.underWay === 0) queues.delete(key);
  }

  async function settle(group: readonly Waiting<In, Out>[]): Promise<void> {
    try {
      const outs = await commit(group.map(({ one }) => one));
      for (const [n, { resolve }] of group.entries()) resolve(outs[n] as Out);
    } catch (error) {
      if (group.length > 1 && isOfOne(error)) for (const waiting of group) await settle([waiting]);
      else for (const { reject } of group) reject(error);
    }
  }

  return (one) =>
    new Promise((resolve, reject) => {
      const key = keyOf(one);
      const queue = queues.get(key) ?? { waiting: [], underWay: 0 };
      queues.set(key, queue);
      queue.waiting.push({ one, resolve, reject });
      if (queue.underWay < most) void commitAll(key, queue);
    });
}

/** PostgreSQL cannot take a value (class 22), a rule of a table is broken (23), or the error is not PostgreSQL's at all. */
const isOfOne = (error: unknown): boolean =>
  !isDatabaseAway(error) && /^(2[23].*)?$/.test(sqlState(error) ?? "");
