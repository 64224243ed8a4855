import { findContract } from "@ballast/contracts";
import { recordTick, type Schedule, type Tx } from "@ballast/database";
import type { Requests, Wish } from "@ballast/jobs";

/** Ask for what a schedule is about, and write that down. A run that still waits takes the wish in. */
export async function askScheduled(
  tx: Tx,
  requests: Requests<Tx>,
  schedule: Schedule,
  wish: Pick<Wish, "traceparent"> & { readonly requestedBy: string; readonly dueAt: Date | null },
) {
  const { id, queue, job, payload, companyId } = schedule;
  const contract = findContract(queue, job);
  if (contract === undefined)
    throw new Error(`schedule ${id} is for ${job} in ${queue}, which this release does not know`);
  const { dueAt, ...by } = wish;
  const asked = await requests.ask(tx, contract, payload, { companyId, ...by });
  await recordTick(tx, id, { dueAt, requestedBy: by.requestedBy, requestId: asked.requestId });
  return { ...asked, job };
}
