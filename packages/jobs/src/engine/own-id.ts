import type { Queue } from "bullmq";
import { addedId } from "../identity.ts";
import { momentOf } from "./delivery.ts";

/**
 * The id under which BullMQ has a job of the journal. Another team's job has the one it was added under,
 * unless that is another job's by now: then, if at all, it was added again by the whole of its journalled id.
 */
export async function ownIdOf(handle: Queue, journalled: string): Promise<string> {
  const added = addedId(journalled);
  if (added === undefined) return journalled;
  const job = await handle.getJob(added.id);
  return job !== undefined && momentOf(job.timestamp) === added.createdMs ? added.id : journalled;
}
