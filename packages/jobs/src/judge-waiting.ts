import {
  ContractError,
  Envelope,
  findContract,
  parsePayload,
  queueDefinitions,
} from "@ballast/contracts";
import type { Engine, PendingJob } from "./engine/engine.ts";

/** What this release makes of jobs that wait in a queue. */
interface Waiting {
  readonly count: number;
  /** Put off until newer workers are there. */
  readonly newer: number;
  /** Would die at once: the first few, and why. */
  readonly refused: readonly string[];
  readonly refusedCount: number;
}

const PAGE = 500;
const SHOWN = 10;

/**
 * Look through every queue, and tell in a few lines what this release would do with what waits. It changes nothing.
 *
 * @returns not `ok` if a job would die
 */
export async function judgeQueues(
  engine: Engine,
): Promise<{ readonly ok: boolean; readonly lines: readonly string[] }> {
  let ok = true;
  const lines: string[] = [];
  for (const { name } of queueDefinitions) {
    const { count, newer, refused, refusedCount } = await judgeWaiting(engine, name);
    ok &&= refusedCount === 0;
    lines.push(
      `queue ${name}: ${count} wait, ${newer} for a newer worker, ${refusedCount} would die`,
      ...refused.map((line) => `  ${line}`),
    );
  }
  return { ok, lines };
}

/** Look through all that waits in one queue. */
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
  return { count, newer, refused, refusedCount };
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
