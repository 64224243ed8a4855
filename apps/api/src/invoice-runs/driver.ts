import {
  claimInvoiceRuns,
  countItems,
  type Database,
  fallenByCause,
  type InvoiceRun,
  moveInvoiceRun,
  nextInvoices,
  recordItem,
  settleItems,
  stillDrivingInvoiceRun,
  type Tx,
} from "@ballast/database";
import type { Dispatcher, Log, Requests } from "@ballast/jobs";
import { inLanes, startDriving } from "../driving.ts";
import { askItem } from "./ask-item.ts";

/**
 * A run has this many invoices asked for and not over: what a second's work may be, and no more than can be
 * taken back in a moment. Those that wait for another attempt do not count, or a few would hold up all.
 */
const AHEAD = 100;

interface DriverDeps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
  readonly log: Log;
}

/** Drive invoice runs, for ever; in every replica at once, and each run by one of them at a time. */
export function startInvoiceRuns(deps: DriverDeps): AsyncDisposable {
  const log = deps.log.child({ part: "invoice-runs" });
  return startDriving(
    {
      what: "drive invoice runs",
      claim: (me, leaseMs) => claimInvoiceRuns(deps.database.kysely, me, leaseMs),
      step: (run, me, signal) => step(run, me, { ...deps, log }, signal),
    },
    log,
  );
}

/** Note what has ended, then ask for what there is room for. */
async function step(
  run: InvoiceRun,
  me: string,
  deps: DriverDeps,
  signal: AbortSignal,
): Promise<void> {
  const { database, dispatcher } = deps;
  const db = database.kysely;
  const { asked, retrying } = await settleItems(db, run.id);
  const room = AHEAD - (asked - retrying);
  const next = run.state === "running" && room > 0 ? await nextInvoices(db, run.id, room) : [];
  if (next.length === 0) {
    if (asked === 0) await finish(run, deps);
    return;
  }

  const deal = (item: (typeof next)[number]) =>
    database.transaction(async (tx) => {
      if (!(await stillDrivingInvoiceRun(tx, run.id, me))) return false;
      await recordItem(tx, run.id, item.invoiceId, await askItem(tx, deps.requests, run, item));
      return true;
    });
  await inLanes(next, deal, signal).finally(() => dispatcher.nudge());
}

async function finish(run: InvoiceRun, { database, log }: DriverDeps): Promise<void> {
  const db = database.kysely;
  const state = run.state === "cancelling" ? "cancelled" : "completed";
  if (!(await moveInvoiceRun(db, run.id, [run.state], state))) return;
  const { done, failed, dead, cancelled } = await countItems(db, run.id);
  const seconds = Math.round((Date.now() - run.begunAt.getTime()) / 1_000);
  log.info(
    { invoiceRunId: run.id, action: run.action, done, failed, dead, cancelled, seconds },
    `invoice run ${state}`,
  );
  if (failed + dead > 0)
    log.warn(
      { invoiceRunId: run.id, causes: await fallenByCause(db, run.id) },
      "not all of it is done",
    );
}
