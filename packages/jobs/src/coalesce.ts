/** Turn calls that come within one turn of the event loop into one call with all of them. */
export function coalesce<In, Out>(
  many: (batch: readonly In[]) => Promise<readonly Out[]>,
  maxBatch: number,
): (one: In) => Promise<Out> {
  type Waiting = { input: In; resolve: (out: Out) => void; reject: (error: unknown) => void };
  let waiting: Waiting[] = [];

  const flush = async (batch: readonly Waiting[]) => {
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
  };
  return (input) =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      if (waiting.length === 1)
        setImmediate(() => {
          const batch = waiting;
          waiting = [];
          for (let from = 0; from < batch.length; from += maxBatch)
            void flush(batch.slice(from, from + maxBatch));
        });
    });
}
