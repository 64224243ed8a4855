import type { Job } from "bullmq";
import type { Outcome } from "../outcome.ts";
import { quietErrorLog } from "../telemetry.ts";
import { deliveryOf } from "./delivery.ts";
import type { Consumer, Consumption, Delivery } from "./engine.ts";
import { backoffStrategy, imposePolicy, settle } from "./settle.ts";
import type { Store } from "./store-driver.ts";

/** Pause after a lost connection before a worker asks again; BullMQ's own 15 s is an outage longer. */
const RUN_RETRY_DELAY_MS = 2_000;
const CLEAN_EVERY_MS = 60_000;

/** Take jobs off a queue and turn outcomes into what BullMQ does with them. */
export async function startConsumer(
  consumption: Consumption,
  store: Store,
  removeOldCompleted: () => Promise<unknown>,
): Promise<Consumer> {
  const { queue, concurrency, log } = consumption;
  // By the job object, which BullMQ hands back in its events: one whose lock was lost is just forgotten.
  const reached = new WeakMap<Job, { delivery: Delivery; outcome: Outcome }>();
  const onError = quietErrorLog(log, `worker of queue ${queue.name}`);

  const worker = store.worker(
    queue.name,
    async (job, token = "") => {
      const delivery = deliveryOf(job);
      const outcome = await consumption.attempt(delivery);
      imposePolicy(job);
      if (outcome.kind !== "postpone" && outcome.kind !== "interrupted")
        reached.set(job, { delivery, outcome });
      return settle(job, token, outcome, () => consumption.told(delivery, outcome));
    },
    {
      concurrency,
      autorun: false,
      lockDuration: queue.lockDurationMs,
      stalledInterval: queue.stalledIntervalMs,
      maxStalledCount: queue.maxStalledCount,
      runRetryDelay: RUN_RETRY_DELAY_MS,
      settings: { backoffStrategy },
      ...(store.retainsWhileFinishing
        ? {
            removeOnComplete: {
              age: queue.completedKept.ageSeconds,
              count: queue.completedKept.count,
            },
          }
        : {}),
    },
  );
  const settled = (job: Job | undefined) => {
    const end = job === undefined ? undefined : reached.get(job);
    if (job === undefined || end === undefined) return false;
    reached.delete(job);
    consumption.told(end.delivery, end.outcome);
    return true;
  };
  worker.on("error", onError);
  worker.on("completed", settled);
  worker.on("failed", (job, error) => {
    // BullMQ ended it before our code ran: it stalled too often.
    if (!settled(job) && job?.finishedOn !== undefined)
      consumption.diedUnseen(deliveryOf(job), error.message);
  });
  worker.on("stalled", consumption.stalled);
  worker.on("locksRenewed", ({ jobIds }) => consumption.locksRenewed(jobIds));
  worker.on("lockRenewalFailed", (ids: string[]) => ids.forEach(consumption.lockLost));
  await worker.waitUntilReady();
  worker.run().catch(onError);

  const cleaning = store.retainsWhileFinishing
    ? undefined
    : setInterval(() => removeOldCompleted().catch(onError), CLEAN_EVERY_MS).unref();
  return {
    close: async () => {
      clearInterval(cleaning);
      await worker.close();
    },
  };
}
