import { sql } from "kysely";
import type { Tx } from "../database.ts";
import { cancelRequest } from "../job-cancel.ts";
import { settleLetter } from "../triage/letters.ts";
import { foreign, mentioning, ofCaller } from "./mentions.ts";
import type { Theirs } from "./theirs.ts";

/** Copies in the queue engine of jobs that were cancelled, to be removed once this is committed. */
export type StaleCopy = Readonly<{ queue: string; id: string }>;

/**
 * Why to ask again later: what a worker holds would be written down after it was erased.
 *
 * Runs stay locked until `tx` ends, so that none is started meanwhile.
 */
export async function workerBusyWith(tx: Tx, theirs: Theirs): Promise<string | undefined> {
  const alive = sql`state IN ('waiting', 'started')`;
  const { rows: runs } = await sql<{ job: string; isRunning: boolean }>`
    SELECT job, running_attempt_id IS NOT NULL AS is_running FROM job_runs
    WHERE subject = ANY (${theirs.subjects}) AND ${alive}
      -- Another company's job may name whatever it likes.
      AND (company_id = ${theirs.companyId} OR company_id IS NULL)
    ORDER BY id FOR UPDATE`.execute(tx);
  const running = runs.find(({ isRunning }) => isRunning);
  if (running !== undefined) return `job ${running.job} is being worked on: ask again in a minute`;

  const { rows: others } = await sql<{ job: string; id: string }>`
    SELECT job, id FROM job_runs
    WHERE ${foreign(theirs)} AND ${alive} AND ${mentioning(theirs, ["payload"])} LIMIT 1`.execute(
    tx,
  );
  if (others[0] !== undefined)
    return `job ${others[0].job} of another team names their address and is not over: ask again when it is, or cancel it (run ${others[0].id})`;

  const { rows: mails } = await sql<{ id: string }>`
    SELECT id FROM email_deliveries
    WHERE invoice_id = ANY (${theirs.invoiceIds}::uuid[]) AND state = 'sending' AND lease_until > now()
    LIMIT 1`.execute(tx);
  return mails[0] && `mail ${mails[0].id} is being sent: ask again in a minute`;
}

/** No worker is to look for a mail address that is gone. */
export async function cancelWork(tx: Tx, { companyId, subjects }: Theirs) {
  const wishes = await tx
    .selectFrom("jobRuns as r")
    .innerJoin("jobRequests as q", "q.runId", "r.id")
    .select("q.id")
    .where(sql<boolean>`r.subject = ANY (${subjects})`)
    .where("r.state", "in", ["waiting", "started"])
    .where("q.cancelledAt", "is", null)
    .execute();
  const stale: StaleCopy[] = [];
  let cancelled = 0;
  for (const { id } of wishes) {
    const cancellation = await cancelRequest(tx, id, companyId);
    if (cancellation?.kind !== "cancelled") continue;
    cancelled += 1;
    if (cancellation.engineJob !== null) stale.push(cancellation.engineJob);
  }
  return { cancelled, stale };
}

/**
 * Settle the letters about their invoices and those that name them: the engine then loses its copy too, and
 * nobody replays what has lost its addressee.
 *
 * @returns how many there are, settled before or now
 */
export async function closeLetters(
  tx: Tx,
  theirs: Theirs,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<number> {
  const { rows: letters } = await sql<{ runId: string; state: string }>`
    SELECT run_id, state FROM dead_letters
    WHERE subject = ANY (${theirs.subjects})
      OR (${ofCaller(theirs)} AND ${mentioning(theirs, ["payload", "message", "stack"])})
    ORDER BY run_id FOR UPDATE`.execute(tx);
  for (const { runId, state } of letters)
    if (state === "open") await settleLetter(tx, runId, { state: "discarded", by, reason });
  return letters.length;
}
