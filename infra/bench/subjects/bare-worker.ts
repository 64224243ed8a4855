/** BullMQ as it comes: a worker, a processor that does nothing, and nothing kept of what is done. */
import { echo } from "@ballast/contracts";
import { type Processor, Worker } from "bullmq";
import { latencies, measured, serveSubject } from "../src/subject-program.ts";

const CONCURRENCY = 50;
const taken = Promise.withResolvers<void>();

serveSubject({
  /** Take one job and never let it go. */
  hold: async ({ url, queueName }: { url: string; queueName: string }) => {
    const held = Promise.withResolvers<void>();
    const processor = () => {
      held.resolve();
      return new Promise<never>(() => {});
    };
    const _worker = new Worker(queueName, processor, asItComes(url));
    await held.promise;
    return {};
  },
  /** Be there for a job that another worker loses. */
  stand: async ({ url, queueName }: { url: string; queueName: string }) => {
    const worker = new Worker(queueName, async () => taken.resolve(), asItComes(url));
    await worker.waitUntilReady();
    return {};
  },
  taken: async () => {
    await taken.promise;
    return {};
  },
  drain: ({ url, count }: { url: string; count: number }) =>
    measured(count, () => work(url, count, async (job) => ({ id: job.data.id }))),
  pickUp: async ({ url, count }: { url: string; count: number }) => {
    const waitsMs: number[] = [];
    await work(url, count, async (job) => {
      waitsMs.push(performance.timeOrigin + performance.now() - job.timestamp);
    });
    return latencies(waitsMs);
  },
});

const asItComes = (url: string) => ({ connection: { url, maxRetriesPerRequest: null } });

/** Work until `count` jobs are done. */
async function work(url: string, count: number, processor: Processor): Promise<void> {
  const worker = new Worker(echo.queue.name, processor, {
    connection: { url, maxRetriesPerRequest: null },
    concurrency: CONCURRENCY,
    removeOnComplete: { count: 0 },
  });
  let done = 0;
  await new Promise<void>((resolve) => {
    worker.on("completed", () => {
      done += 1;
      if (done === count) resolve();
    });
  });
  await worker.close();
}
