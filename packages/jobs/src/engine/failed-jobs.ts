import type { Job, Queue } from "bullmq";
import { deliveryOf, momentOf } from "./delivery.ts";
import type { EngineDeath, FailedJob } from "./engine.ts";

type Found = Job | "gone" | "kept";

/** A job of the list of failed ones, unless its id was given to another meanwhile. */
export async function listedJob(handle: Queue, { id, createdAt }: FailedJob): Promise<Found> {
  const job = await failedJob(handle, id);
  const isAnother = typeof job !== "string" && momentOf(job.timestamp) !== createdAt.getTime();
  return isAnother ? "gone" : job;
}

/** A job, if it is failed; `kept` if it is anything else. The state is read last, and only moves on from there. */
export async function failedJob(handle: Queue, id: string): Promise<Found> {
  const job = await handle.getJob(id);
  if (job === undefined) return "gone";
  return (await handle.getJobState(id)) === "failed" ? job : "kept";
}

export const deathOf = (job: Job): EngineDeath => ({
  delivery: deliveryOf(job),
  reason: job.failedReason ?? null,
  finishedAt: new Date(momentOf(job.finishedOn ?? Date.now())),
});

/** @returns those that are gone, whoever removed them */
export async function removeEach<Named>(
  handle: Queue,
  names: readonly Named[],
  find: (handle: Queue, name: Named) => Promise<Found>,
): Promise<Named[]> {
  const isGone = async (name: Named) => {
    const job = await find(handle, name);
    if (job === "gone") return true;
    // Removing a child lets its parent run, without what the child was to bring.
    if (job === "kept" || job.parentKey !== undefined) return false;
    await handle.remove(job.id ?? "");
    return true;
  };
  const gone = await Promise.all(names.map(isGone));
  return names.filter((_, at) => gone[at]);
}
