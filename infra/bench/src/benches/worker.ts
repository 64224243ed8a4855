import type { Bench } from "../bench.ts";
import { interleave } from "../interleave.ts";
import { preloadBare, preloadOurs, recordRuns } from "../preload.ts";

/** What the runtime costs on top of BullMQ, where the work itself costs nothing. */
export const worker: Bench = {
  name: "worker",
  about:
    "our worker with validation, metrics, timeout and lease against a bare BullMQ one, no-op, 50 at a time",
  async run(context) {
    const { url } = await context.servers.redis();
    const databaseUrl = await context.servers.database();
    const count = context.sized(5_000, 15_000);
    const bare = await context.subject("bare-worker");
    const ours = await context.subject("our-worker");
    const seen = await interleave(
      {
        bare: async () => {
          await preloadBare(url, count);
          return bare.ask("drain", { url, count });
        },
        ours: async () => {
          await preloadOurs(url, count);
          return ours.ask("drain", { url, count });
        },
        journalled: async () => {
          await recordRuns(databaseUrl, await preloadOurs(url, count));
          return ours.ask("drain", { url, count, databaseUrl });
        },
      },
      { rounds: context.sized(3, 7), signal: context.signal },
    );
    context.table("drain", seen, ["bare", "ours", "journalled"]);
    const said = { theirs: "bare", against: "a bare worker" } as const;
    const speed = { ...said, figure: "perSecond", unit: "jobs/s" };
    const cpu = { ...said, figure: "cpuSecondsPer10k", unit: "CPU-s per 10,000" };
    context.compare(seen, { ...speed, ours: "ours", goal: { atLeast: 0.9 } });
    context.compare(seen, { ...cpu, ours: "ours", goal: { atMost: 1.1 } });
    const withJournal = {
      ours: "journalled",
      against: "a bare worker, ours with its journal",
    } as const;
    context.compare(seen, { ...speed, ...withJournal, goal: { atLeast: 0.75 } });
    context.compare(seen, { ...cpu, ...withJournal, goal: { atMost: 1.2 } });
  },
};
