import { sql } from "kysely";
import type { Database, Tx } from "./database.ts";
import type { TerminalState } from "./run-store/port.ts";
import { notifyDispatchers } from "./run-store/wake.ts";
import type { CompanyScope } from "./scope.ts";

export type Cancellation =
  /** Others still want the run: it goes on without this request. */
  | { readonly kind: "left"; readonly otherRequests: number }
  /** Cancelled at once; `engineJob` is the engine's copy to remove, if it has one. */
  | {
      readonly kind: "cancelled";
      readonly engineJob: { readonly queue: string; readonly id: string } | null;
    }
  /** A worker has it: its next sign of life tells it to stop. */
  | { readonly kind: "cancelling"; readonly runningOn: string | null }
  /** It was over before; nothing changed. */
  | { readonly kind: "over"; readonly state: TerminalState };

/**
 * Take a request back, and its run with it if nobody else wants it. Repeatable.
 *
 * @returns `undefined` if there is no such request in scope
 */
export async function cancelRequest(
  db: Database | Tx,
  requestId: string,
  scope: CompanyScope,
): Promise<Cancellation | undefined> {
  return "kysely" in db
    ? await db.transaction((tx) => cancelIn(tx, requestId, scope))
    : await cancelIn(db, requestId, scope);
}

async function cancelIn(
  tx: Tx,
  requestId: string,
  scope: CompanyScope,
): Promise<Cancellation | undefined> {
  const run = await lockRunOf(tx, requestId, scope);
  if (run === undefined) return await overInHistory(tx, requestId, scope);
  if (run.state !== "waiting" && run.state !== "started") return { kind: "over", state: run.state };

  await tx
    .updateTable("jobRequests")
    .set({ cancelledAt: sql<Date>`coalesce(cancelled_at, now())` })
    .where("id", "=", requestId)
    .execute();
  const otherRequests = await countLiveRequests(tx, run.id);
  const isRunning = run.runningAttemptId !== null;
  const change = sql<bigint>`nextval('job_run_changes')`;

  if (otherRequests > 0 || isRunning) {
    await tx
      .updateTable("jobRuns")
      .set({
        changeNo: change,
        ...(otherRequests > 0
          ? {}
          : { cancelRequestedAt: sql<Date>`coalesce(cancel_requested_at, now())` }),
      })
      .where("id", "=", run.id)
      .execute();
    return otherRequests > 0
      ? { kind: "left", otherRequests }
      : { kind: "cancelling", runningOn: run.runningOn };
  }

  await tx
    .updateTable("jobRuns")
    .set({
      state: "cancelled",
      finishedAt: sql<Date>`now()`,
      claimedUntil: null,
      nextAttemptAt: null,
      waitCode: null,
      waitMessage: null,
      changeNo: change,
    })
    .where("id", "=", run.id)
    .execute();
  if (run.slot !== null) await notifyDispatchers(tx);
  // A dispatcher may be handing a claimed run over right now, so that copy is to be removed as well.
  const mayBeInEngine = run.handedAt !== null || run.claimedUntil !== null;
  return {
    kind: "cancelled",
    engineJob: mayBeInEngine ? { queue: run.queue, id: run.engineJobId } : null,
  };
}

/** Locked until `tx` ends, so that neither a start nor another cancellation comes between. */
async function lockRunOf(tx: Tx, requestId: string, scope: CompanyScope) {
  return await tx
    .selectFrom("jobRuns")
    .selectAll()
    .where("id", "=", (eb) =>
      eb.selectFrom("jobRequests").select("runId").where("jobRequests.id", "=", requestId),
    )
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .forUpdate()
    .executeTakeFirst();
}

async function overInHistory(
  tx: Tx,
  requestId: string,
  scope: CompanyScope,
): Promise<Cancellation | undefined> {
  const request = await tx
    .selectFrom("jobRequestsHistory")
    .select("state")
    .where("id", "=", requestId)
    .$if(scope !== "all", (query) => query.where("companyId", "=", scope))
    .executeTakeFirst();
  return request && { kind: "over", state: request.state };
}

async function countLiveRequests(tx: Tx, runId: string): Promise<number> {
  const { live } = await tx
    .selectFrom("jobRequests")
    .select(sql<number>`count(*)::int`.as("live"))
    .where("runId", "=", runId)
    .where("cancelledAt", "is", null)
    .executeTakeFirstOrThrow();
  return live;
}
