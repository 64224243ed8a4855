import { ContractError, Envelope, findContract, parsePayload } from "@ballast/contracts";
import type { Engine, PendingJob } from "@ballast/jobs";

/** What this release makes of jobs that wait in a queue. */
export interface Waiting {
  readonly queue: string;
  readonly count: number;
  /** Put off until newer workers are there. */
  readonly newer: number;
  /** Would die at once: the first few, and why. */
  readonly refused: readonly string[];
  readonly refusedCount: number;
}

const PAGE = 500;
const SHOWN = 10;

/** Look through all that waits in a queue. It changes nothing. */
export async function judgeWaiting(engine: Engine, queue: string): Promise<Waiting> {
  let [count, newer, refusedCount] = [0, 0, 0];
  const refused: string[] = [];
  for (let cursor: string | undefined = "0"; cursor !== undefined; ) {
    const page: { jobs: readonly PendingJob[]; cursor?: string } = await engine.pending(queue, {
      limit: PAGE,
      cursor,
    });
    for (const job of page.jobs) {
      const verdict = verdictOf(queue, job);
      count++;
      if (verdict === "newer") newer++;
      else if (verdict !== "fit") {
        refusedCount++;
        if (refused.length < SHOWN) refused.push(`${job.name} ${job.engineJobId}: ${verdict}`);
      }
    }
    cursor = page.cursor;
  }
  return { queue, count, newer, refused, refusedCount };
}

/** `fit`, `newer`, or why it would die. */
function verdictOf(queue: string, { name, data }: PendingJob): string {
  const envelope = Envelope.safeParse(data);
  if (!envelope.success) return "its data is no envelope";
  const { v, payload } = envelope.data;
  const contract = findContract(queue, name);
  if (contract === undefined || v > contract.version) return "newer";
  if (v < contract.oldestVersion)
    return `v${v} is retired, the oldest kept is v${contract.oldestVersion}`;
  try {
    parsePayload(contract, payload);
    return "fit";
  } catch (error) {
    if (error instanceof ContractError) return error.message;
    throw error;
  }
}
