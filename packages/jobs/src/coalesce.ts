/** More would split what could go together; with only one, the store would rest while its answer is read. */
const MOST_UNDER_WAY = 2;

/** Turn calls that come within one turn of the event loop, or while others are under way, into one call with all of them. */
export function coalesce<In, Out>(
  many: (batch: readonly In[]) => Promise<readonly Out[]>,
  maxBatch: number,
): (one: In) => Promise<Out> {
  type Waiting = { input: In; resolve: (out: Out) => void; reject: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let isScheduled = false;
  let underWay = 0;

  const call = async (batch: readonly Waiting[]) => {
    try {
      const answers = await many(batch.map(({ input }) => input));
      batch.forEach(({ resolve, reject }, index) => {
        const answer = answers[index];
        if (answer === undefined) reject(new Error("a batch came back shorter than it went out"));
        else resolve(answer);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    underWay -= 1;
    schedule();
  };
  const send = () => {
    isScheduled = false;
    while (waiting.length > 0 && underWay < MOST_UNDER_WAY) {
      underWay += 1;
      void call(waiting.slice(0, maxBatch));
      waiting = waiting.slice(maxBatch);
    }
  };
  const schedule = () => {
    if (isScheduled || waiting.length === 0 || underWay >= MOST_UNDER_WAY) return;
    isScheduled = true;
    setImmediate(send);
  };
  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      schedule();
    });
}
