import type { Bench } from "../bench.ts";
import { interleave } from "../interleave.ts";
import { preloadBare, preloadOurs } from "../preload.ts";

/** What the runtime costs where every job is traced. */
export const workerTraced: Bench = {
  name: "worker-traced",
  about:
    "our worker, without its journal, that sends a span of each job to a collector, against a bare BullMQ one, no-op, 50 at a time",
  async run(context) {
    const { url } = await context.servers.redis();
    const count = context.sized(5_000, 15_000);
    // It takes whatever comes, and answers at once.
    const collector = await context.subject("remote");
    const { port } = await collector.ask("listen");
    const collectorUrl = `http://127.0.0.1:${port}`;
    const bare = await context.subject("bare-worker");
    const ours = await context.subject("our-worker");
    const seen = await interleave(
      {
        bare: async () => {
          await preloadBare(url, count);
          return bare.ask("drain", { url, count });
        },
        traced: async () => {
          await preloadOurs(url, count);
          return ours.ask("drain", { url, count, collectorUrl });
        },
      },
      { rounds: context.sized(3, 7), signal: context.signal },
    );
    context.table("drain", seen, ["bare", "traced"]);
    context.compare(seen, {
      ours: "traced",
      theirs: "bare",
      against: "a bare worker, ours traced",
      figure: "perSecond",
      unit: "jobs/s",
      goal: { atLeast: 0.8 },
    });
  },
};
