/** BullMQ as it comes: a worker, a processor that does nothing, and nothing kept of what is done. */
import { echo } from "@ballast/contracts";
import { Worker } from "bullmq";
import { measured, serveSubject } from "../src/subject-program.ts";

const CONCURRENCY = 50;

serveSubject({
  drain: ({ url, count }: { url: string; count: number }) => {
    let done = 0;
    return measured(count, async () => {
      const worker = new Worker(echo.queue.name, async (job) => ({ id: job.data.id }), {
        connection: { url, maxRetriesPerRequest: null },
        concurrency: CONCURRENCY,
        removeOnComplete: { count: 0 },
      });
      await new Promise<void>((resolve) => {
        worker.on("completed", () => {
          done += 1;
          if (done === count) resolve();
        });
      });
      await worker.close();
    });
  },
});
