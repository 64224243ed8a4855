import { privateFieldsOf } from "@ballast/contracts";
import {
  alreadyDone,
  beginPace,
  claimReplays,
  countPaced,
  countReplay,
  type Database,
  judgeReplay,
  letterDone,
  lockLetter,
  moveReplay,
  nextLetters,
  type Replay,
  stillDriving,
  type Tx,
  UNDER_WAY,
} from "@ballast/database";
import type { Dispatcher, Log, Requests } from "@ballast/jobs";
import { inLanes, startDriving } from "../driving.ts";
import { Problem } from "../http/problem.ts";
import { replayLetter } from "../triage/replay-letter.ts";
import { settledBefore } from "../triage/settled.ts";
import { isFarBehind, lettersDue } from "./pace.ts";
import { stopReason } from "./stop-rule.ts";

interface DriverDeps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
  readonly log: Log;
}

/** Drive bulk replays, for ever; in every replica at once, and each replay by one of them at a time. */
export function startReplays(deps: DriverDeps): AsyncDisposable {
  const log = deps.log.child({ part: "replays" });
  return startDriving(
    {
      what: "drive bulk replays",
      claim: (me, leaseMs) => claimReplays(deps.database.kysely, me, leaseMs),
      step: (replay, me, signal, sideBySide) =>
        step(replay, me, { ...deps, log }, signal, sideBySide),
    },
    log,
  );
}

/** Judge what has ended, then replay what is due. */
async function step(
  replay: Replay,
  me: string,
  deps: DriverDeps,
  signal: AbortSignal,
  sideBySide: number,
): Promise<void> {
  const { database, dispatcher, log } = deps;
  const db = database.kysely;
  const { id, canaryCount, stopShare } = replay;
  const counts = await countReplay(db, id);
  const isCanary = replay.state === "canary";
  const judged = await judgeReplay(db, id, privateFieldsOf);
  const ahead = Math.max(0, canaryCount - judged.replayed);
  const canaryIsOver = isCanary && ahead === 0 && judged.ended === judged.replayed;

  const why = stopReason(judged, stopShare, canaryIsOver);
  if (why !== undefined) {
    await moveReplay(db, id, UNDER_WAY, "stopped", why);
    log.warn({ replayId: id, ...counts }, `replay stopped: ${why}`);
    return;
  }
  if (counts.pending === 0 && (!isCanary || judged.ended === judged.replayed)) {
    await moveReplay(db, id, UNDER_WAY, "completed");
    log.info({ replayId: id, ...counts }, "replay completed");
    return;
  }
  if (canaryIsOver) {
    await moveReplay(db, id, ["canary"], "running");
    log.info({ replayId: id, ...counts }, "those that went ahead are well; the replay goes on");
    return;
  }
  const due = await dueNow(replay, me, db, sideBySide);
  const letters = await nextLetters(db, id, isCanary ? Math.min(due, ahead) : due);
  const done = await alreadyDone(db, letters);
  if (letters.length === 0) return;
  const deal = (letterId: string) =>
    database.transaction((tx) => replayOne(tx, replay, letterId, done.has(letterId), me, deps));
  await inLanes(letters, deal, signal).finally(async () => {
    await countPaced(db, id, me, letters.length);
    dispatcher.nudge();
  });
}

async function dueNow(
  replay: Replay,
  me: string,
  db: Database["kysely"],
  sideBySide: number,
): Promise<number> {
  const { id, ratePerSecond, pacedFrom, pacedCount } = replay;
  const now = new Date();
  const pace = pacedFrom && { ratePerSecond, from: pacedFrom, count: pacedCount };
  if (pace !== null && !isFarBehind(pace, now)) return lettersDue(pace, now, sideBySide);
  await beginPace(db, id, me);
  return 0;
}

/** One letter, settled and asked for again in one transaction. @returns false if this driver is to stop */
async function replayOne(
  tx: Tx,
  replay: Replay,
  letterId: string,
  isDone: boolean,
  me: string,
  { requests }: DriverDeps,
): Promise<boolean> {
  if (!(await stillDriving(tx, replay.id, me))) return false;
  const skip = (skipCode: string, skipMessage: string) =>
    letterDone(tx, replay.id, letterId, { state: "skipped", skipCode, skipMessage });
  const letter = await lockLetter(tx, replay.companyId ?? "all", letterId);
  if (letter === undefined) await skip("gone", "the letter was removed meanwhile");
  else if (letter.state !== "open") await skip("settled", settledBefore(letter));
  else if (isDone) await skip("already_done", "the ledger has it done already");
  else
    try {
      const { runId, joined } = await replayLetter(tx, requests, letter, {
        by: replay.requestedBy,
        reason: `${replay.reason} (replay ${replay.id})`.slice(0, 500),
        traceparent: null,
      });
      await letterDone(tx, replay.id, letterId, { state: "replayed", newRunId: runId, joined });
    } catch (error) {
      // Thrown before anything was written, by the plan.
      if (!(error instanceof Problem)) throw error;
      await skip("not_replayable", error.message);
    }
  return true;
}
