import {
  findLiveRun,
  type Letter,
  type LiveRun,
  recordAction,
  settleLetter,
  type Tx,
} from "@ballast/database";
import type { Requests } from "@ballast/jobs";
import { type Edit, planReplay } from "./plan-replay.ts";

/** Who replays, and why. */
export interface ReplayOrder {
  readonly by: string;
  readonly reason: string;
  readonly traceparent: string | null;
  readonly edit?: Edit;
  /** The contract's if absent. */
  readonly priority?: number;
}

export interface Replayed {
  readonly letterId: string;
  readonly requestId: string;
  readonly runId: string;
  readonly job: string;
  readonly generation: number;
  readonly edited: boolean;
  readonly joined: boolean;
  /** The run of the same slot that was there already and does the work. */
  readonly twin: LiveRun | null;
}

/**
 * Ask for the work of a locked, open letter again, settle the letter by it and write it down, in one
 * transaction. The letter keeps what died, whatever was edited.
 *
 * @throws {Problem} `not-replayable`, `invalid-body`
 */
export async function replayLetter(
  tx: Tx,
  requests: Requests<Tx>,
  letter: Letter,
  order: ReplayOrder,
): Promise<Replayed> {
  const { contract, version, payload, isChanged } = planReplay(letter, order.edit);
  const letterId = letter.runId;
  const generation = letter.generation + 1;
  const { requestId, runId, joined } = await requests.ask(tx, contract, payload, {
    companyId: letter.companyId,
    requestedBy: order.by,
    traceparent: order.traceparent ?? letter.traceparent,
    ...(order.priority === undefined ? {} : { priority: order.priority }),
    // What another team named its job's subject stays, and an edited payload may be about another thing.
    ...(letter.subject === null || isChanged ? {} : { subject: letter.subject }),
    replay: { replayOf: letterId, generation, version, isChanged },
  });
  await settleLetter(tx, letterId, {
    state: "replayed",
    replayRunId: runId,
    replayRequestId: requestId,
    by: order.by,
    reason: order.reason,
  });
  await recordAction(tx, {
    actor: order.by,
    action: "replay-letter",
    targetKind: "letter",
    targetId: letterId,
    companyId: letter.companyId,
    subject: letter.subject,
    reason: order.reason,
    before: { state: "open", ...(isChanged ? { payload: letter.payload } : {}) },
    after: {
      state: "replayed",
      requestId,
      runId,
      joined,
      ...(isChanged ? { job: contract.name, version, payload } : {}),
    },
  });
  const twin = joined ? ((await findLiveRun(tx, runId)) ?? null) : null;
  return {
    letterId,
    requestId,
    runId,
    job: contract.name,
    generation,
    edited: isChanged,
    joined,
    twin,
  };
}
