import { quietErrorLog } from "../telemetry.ts";
import { isCanary } from "./canary-job.ts";
import { deliveryOf } from "./delivery.ts";
import type { Consumer, Consumption } from "./engine.ts";
import { Relief } from "./relief.ts";
import { backoffStrategy, imposePolicy, settle } from "./settle.ts";
import type { Store } from "./store-driver.ts";
import { Unconfirmed } from "./unconfirmed.ts";

/** Pause after a lost connection before a worker asks again; BullMQ's own 15 s is an outage longer. */
const RUN_RETRY_DELAY_MS = 2_000;
/** Not with each job that ends: that makes finished work run again on PostgreSQL, and costs Redis half as much again. */
const CLEAN_EVERY_MS = 30_000;
/** Also the wait of a worker that stops while the engine is away, so shorter than that. */
const CONFIRMED_WITHIN_MS = 1_000;

/** Take jobs off a queue and turn outcomes into what BullMQ does with them. */
export async function startConsumer(
  consumption: Consumption,
  store: Store,
  removeOldCompleted: () => Promise<unknown>,
): Promise<Consumer> {
  const { queue, concurrency, log } = consumption;
  // Told before the lock runs out, so that whoever is given the job next finds it done.
  const patienceMs = Math.min(queue.lockDurationMs / 4, CONFIRMED_WITHIN_MS);
  const unconfirmed = new Unconfirmed(patienceMs);
  const onError = quietErrorLog(log, `worker of queue ${queue.name}`);
  const relief = new Relief(
    { memory: () => store.memory(), makeRoom: () => store.makeRoom(queue.name) },
    log,
  );

  const worker = store.worker(
    queue.name,
    async (job, token = "") => {
      if (isCanary(job)) return consumption.canary();
      const attempted = await consumption.attempt(deliveryOf(job));
      imposePolicy(job);
      const { kind } = attempted.outcome;
      if (kind !== "postpone" && kind !== "interrupted") unconfirmed.add(job, attempted);
      return settle(job, token, attempted);
    },
    {
      concurrency,
      autorun: false,
      lockDuration: queue.lockDurationMs,
      stalledInterval: queue.stalledIntervalMs,
      maxStalledCount: queue.maxStalledCount,
      runRetryDelay: RUN_RETRY_DELAY_MS,
      settings: { backoffStrategy },
    },
  );
  worker.on("error", (error: Error & { code?: unknown }) => {
    onError(error);
    if (store.isFull(error)) relief.complain();
    if (error instanceof SyntaxError) consumption.jammed();
    // Its own codes are numbers. It refused an outcome, its lock lost, and does not say whose.
    if (typeof error.code === "number") unconfirmed.giveUp();
  });
  worker.on("completed", (job) => void unconfirmed.confirm(job));
  worker.on("failed", (job, error) => {
    // BullMQ ended it before our code ran: it stalled too often.
    if (job === undefined || isCanary(job)) return;
    if (!unconfirmed.confirm(job) && job.finishedOn !== undefined)
      consumption.diedUnseen(deliveryOf(job), error.message);
  });
  worker.on("stalled", consumption.stalled);
  worker.on("locksRenewed", ({ jobIds }) => consumption.locksRenewed(jobIds));
  worker.on("lockRenewalFailed", (ids: string[]) => ids.forEach(consumption.lockLost));
  await worker.waitUntilReady();
  worker.run().catch(onError);

  const cleaning = setInterval(() => removeOldCompleted().catch(onError), CLEAN_EVERY_MS).unref();
  return {
    limit: (count) => {
      worker.concurrency = count;
    },
    close: async () => {
      clearInterval(cleaning);
      await worker.close();
      relief[Symbol.dispose]();
      unconfirmed[Symbol.dispose]();
    },
  };
}
