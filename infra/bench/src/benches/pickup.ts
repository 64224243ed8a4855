import { randomUUID } from "node:crypto";
import { echo, toBullmq } from "@ballast/contracts";
import { Queue } from "bullmq";
import type { Bench } from "../bench.ts";
import { interleave } from "../interleave.ts";
import { preloadBare } from "../preload.ts";

/** A worker that has nothing to do is asleep until a job comes. */
const EVERY_MS = 15;

/** How long a job waits for a worker that has nothing else to do. */
export const pickup: Bench = {
  name: "pickup",
  about:
    "from add to handler, one job every 15 ms: our worker, without its journal, against a bare BullMQ one",
  async run(context) {
    const { url } = await context.servers.redis();
    const count = context.sized(150, 600);
    const bare = await context.subject("bare-worker");
    const ours = await context.subject("our-worker");
    const add = async (job: (queue: Queue) => Promise<unknown>) => {
      const queue = new Queue(echo.queue.name, { connection: { url } });
      for (let n = 0; n < count; n++) {
        await job(queue);
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      }
      await queue.close();
    };
    const seen = await interleave(
      {
        bare: async () => {
          await preloadBare(url, 0);
          const picked = bare.ask("pickUp", { url, count });
          await add((queue) => queue.add(echo.name, { id: "1" }));
          return picked;
        },
        ours: async () => {
          await preloadBare(url, 0);
          const picked = ours.ask("pickUp", { url, count });
          await add((queue) => {
            const { name, data, opts } = toBullmq(echo, { id: "1" });
            // The worker has no journal to read the payload from, so the id carries the moment.
            return queue.add(name, data, { ...opts, jobId: `${randomUUID()}~${nowMs()}` });
          });
          return picked;
        },
      },
      { rounds: context.sized(3, 5), signal: context.signal },
    );
    context.table("latency", seen, ["bare", "ours"]);
    const said = { ours: "ours", theirs: "bare", against: "a bare worker", unit: "ms" } as const;
    context.compare(seen, { ...said, figure: "p50Ms", goal: { atMost: 1.1 } });
    context.compare(seen, { ...said, figure: "p99Ms", goal: { atMost: 1.2 } });
  },
};

/** In the same whole milliseconds that BullMQ notes of a job. */
const nowMs = () => Date.now();
