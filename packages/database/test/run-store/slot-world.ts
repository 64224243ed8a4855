import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { expect } from "vitest";
import { moveToHistory } from "../../src/history/move.ts";
import {
  type Cancellation,
  type ClaimedRun,
  cancelRequest,
  type OutcomeKind,
} from "../../src/index.ts";
import { ModelEngine, type ModelJob } from "./model-engine.ts";
import { aRun, HOUR_MS, type Setup } from "./setup.ts";
import { type RunRow, SlotAccount, type Wish } from "./slot-account.ts";
import type { AfterClaim, Step } from "./slot-steps.ts";

/** An attempt that a worker holds, whether or not the engine still thinks so. */
interface Held {
  readonly attemptId: string;
  readonly runId: string;
  readonly engineJobId: string;
}

const HOLD = "document:1";

/**
 * A real store between a model of the engine, workers that die, and people who change their minds.
 */
export class SlotWorld {
  readonly #t: Setup;
  readonly #slots: readonly string[];
  /** Nobody else acts between a look and an answer, so that answers can be foretold. */
  readonly #alone: boolean;
  /** Of one who is alone a claim lapses at once: whoever dies with it holds nobody up. */
  readonly #leaseMs: number;
  readonly #engine = new ModelEngine();
  readonly #account = new SlotAccount();
  readonly #held: Held[] = [];
  readonly #changes = new Map<string, number>();
  readonly #asking = new Map<string, Promise<unknown>>();
  /** Jobs of another team: the slot each is of. */
  readonly #theirs = new Map<string, string>();

  constructor(t: Setup, slotCount: number, { alone }: { alone: boolean }) {
    this.#t = t;
    this.#alone = alone;
    this.#leaseMs = alone ? 0 : 200;
    const name = randomUUID();
    this.#slots = Array.from({ length: slotCount }, (_, slot) => `${name} ${slot}`);
  }

  async act(step: Step): Promise<void> {
    switch (step.do) {
      case "wish":
        return await this.#wish(step);
      case "wish and take":
        return await this.#wishAndTake(step);
      case "theirs":
        return this.#sendTheirs(step.slot);
      case "replay":
        return await this.#replay(step);
      case "dispatch":
        return await this.#dispatch(step);
      case "take":
        return await this.#take(pick(this.#engine.ready(), step.which), step.next);
      case "end":
        return await this.#end(pick(this.#held, step.which), step.outcome, step.heard);
      case "stall":
        return this.#engine.stall(pick(this.#engine.active(), step.which)?.id ?? "");
      case "give up":
        return this.#engine.giveUp(pick(this.#engine.active(), step.which)?.id ?? "");
      case "cancel":
        return await this.#cancel(pick(this.#account.wishes, step.which));
      case "stop cancelled":
        return await this.#stopCancelled();
      case "release":
        await this.#t.db.transaction((tx) => this.#t.store.release(tx, HOLD));
        return;
      case "wipe":
        return this.#engine.wipe();
      case "reconcile":
        return await this.#reconcile();
      case "expire":
        await this.#t.store.expire(100);
        return;
      case "move":
        await moveToHistory(this.#t.db, 0, 100);
        return;
      default:
        return step satisfies never;
    }
  }

  /** What must hold at any moment. */
  async check(): Promise<void> {
    this.#account.check(await this.#runs());
  }

  /** Let everything come to its end; what was wished and not taken back was then seen, or died. */
  async settle(): Promise<void> {
    await this.act({ do: "release" });
    await sql`UPDATE job_runs SET claimed_until = NULL`.execute(this.#t.db.kysely); // of the dead
    for (let round = 0; round < 50; round += 1) {
      await this.#stopCancelled();
      while (this.#held.length > 0) await this.#end(this.#held[0], "completed", "by both");
      for (const { id } of this.#engine.active()) this.#engine.stall(id);
      await this.#reconcile();
      await this.act({ do: "dispatch", limit: 100, next: "hand over" });
      for (const job of this.#engine.ready()) await this.#take(job, "work");
      const open = [...(await this.#runs()).values()].filter(
        ({ state }) => state === "waiting" || state === "started",
      );
      if (open.length === 0 && this.#engine.ready().length + this.#held.length === 0) break;
      if (round === 49) throw new Error(`never ends: ${JSON.stringify(open)}`);
    }
    await this.check();
  }

  async #wish({ slot, held, late, priority }: Extract<Step, { do: "wish" }>): Promise<void> {
    const key = this.#slots[slot % this.#slots.length] ?? "";
    await this.#inTurn(key, async (change) => {
      const asked = await this.#t.ask({
        slot: key,
        payload: { change },
        priority,
        heldFor: held ? HOLD : null,
        deadlineAt: new Date(Date.now() + (late ? -1 : HOUR_MS)),
      });
      const { requestId, runId } = asked;
      this.#account.wishes.push({ requestId, runId, slot: key, change, isCancelled: false });
    });
  }

  /** As an API that hands over what it records. */
  async #wishAndTake({ slot, next }: Extract<Step, { do: "wish and take" }>): Promise<void> {
    const key = this.#slots[slot % this.#slots.length] ?? "";
    await this.#inTurn(key, async (change) => {
      const wish = { run: aRun({ slot: key, payload: { change } }), request: { ...NOBODY } };
      const { asked, taken } = await this.#t.store.commitAll([wish], true);
      for (const { requestId, runId } of asked)
        this.#account.wishes.push({ requestId, runId, slot: key, change, isCancelled: false });
      if (next === "give back") await this.#t.store.takeBack(taken.map(({ id }) => id));
      else if (next !== "die at once") for (const { id } of taken) this.#engine.add(id);
    });
  }

  async #replay({ which, isChanged }: Extract<Step, { do: "replay" }>): Promise<void> {
    const letters = await this.#t.db.kysely
      .selectFrom("deadLetters")
      .select(["runId", "payload", "generation"])
      .where("runId", "in", [randomUUID(), ...this.#account.wishes.map(({ runId }) => runId)])
      .orderBy("runId")
      .execute();
    const letter = pick(letters, which);
    const slot = this.#account.wishes.find(({ runId }) => runId === letter?.runId)?.slot;
    if (letter === undefined || slot === undefined) return;
    const replay = async (change: number) => {
      const run = aRun({ slot, payload: { change } });
      const lineage = { replayOf: letter.runId, generation: letter.generation + 1, isChanged };
      const { requestId, runId } = await this.#t.db.transaction((tx) =>
        this.#t.store.ask(tx, run, { requestedBy: null, traceparent: null }, lineage),
      );
      this.#account.wishes.push({ requestId, runId, slot, change, isCancelled: false });
    };
    if (isChanged) await this.#inTurn(slot, replay);
    else await replay(Number(letter.payload["change"]));
  }

  /** Changes of one slot commit in the order of their numbers. */
  async #inTurn(slot: string, make: (change: number) => Promise<void>): Promise<void> {
    const change = (this.#changes.get(slot) ?? 0) + 1;
    this.#changes.set(slot, change);
    const turn = (this.#asking.get(slot) ?? Promise.resolve()).then(() => make(change));
    this.#asking.set(slot, turn);
    await turn;
  }

  #sendTheirs(slot: number): void {
    const id = `theirs ${randomUUID()}`;
    this.#theirs.set(id, this.#slots[slot % this.#slots.length] ?? "");
    this.#engine.add(id);
  }

  async #dispatch({ limit, next }: Extract<Step, { do: "dispatch" }>): Promise<void> {
    await this.#handOver(await this.#t.store.claim(limit, this.#leaseMs, {}), next);
  }

  async #handOver(claimed: readonly ClaimedRun[], next: AfterClaim): Promise<void> {
    const ids = claimed.map(({ id }) => id);
    if (next === "give back") return await this.#t.store.unclaim(ids);
    if (next === "die at once") return;
    for (const { engineJobId } of claimed) this.#engine.add(engineJobId);
    if (next === "hand over")
      await this.#t.store.handedOver(ids.map((id) => ({ id, priority: 0 })));
  }

  async #take(
    job: ModelJob | undefined,
    next: Extract<Step, { do: "take" }>["next"],
  ): Promise<void> {
    const attemptId = randomUUID();
    if (job === undefined || !this.#engine.take(job.id, attemptId)) return;
    if (next === "die unstarted") return;
    const start = this.#t.aStart(job.id, { attemptId });
    let [started] = await this.#t.store.start([start]);
    const theirs = this.#theirs.get(job.id);
    if (started?.kind === "unknown" && theirs !== undefined)
      await this.#inTurn(theirs, async (change) => {
        const { deadlineAt, job: name, ...run } = aRun({ slot: theirs, payload: { change } });
        const adoption = { ...run, ...start, job: name, deadlineAt, createdAt: new Date() };
        started = await this.#t.store.adopt({ ...adoption, ...NOBODY, requestId: null });
      });
    switch (started?.kind) {
      case "go": {
        const { id, payload } = started.run;
        this.#account.saw(id, Number(payload["change"]));
        if (next === "work") this.#held.push({ attemptId, runId: id, engineJobId: job.id });
        return;
      }
      case "over": {
        const state = started.state === "dead" ? "failed" : started.state;
        return this.#engine.settle(job.id, attemptId, state);
      }
      case "slot_busy":
        return this.#engine.settle(job.id, attemptId, "waiting");
      default:
        throw new Error(`start of ${job.id}: ${started?.kind}`);
    }
  }

  async #end(
    held: Held | undefined,
    outcome: OutcomeKind,
    heard: Extract<Step, { do: "end" }>["heard"],
  ): Promise<void> {
    if (held === undefined) return;
    this.#held.splice(this.#held.indexOf(held), 1);
    const { runId, attemptId, engineJobId } = held;
    if (heard !== "by journal") this.#engine.settle(engineJobId, attemptId, IN_ENGINE[outcome]);
    if (heard !== "by engine")
      await this.#t.store.ended([this.#t.end(runId, attemptId, { outcome })]);
  }

  async #stopCancelled(): Promise<void> {
    const ids = await this.#t.store.cancelled(this.#held.map(({ runId }) => runId));
    for (const held of this.#held.filter(({ runId }) => ids.includes(runId)))
      await this.#end(held, "cancelled", "by both");
  }

  async #cancel(wish: Wish | undefined): Promise<void> {
    if (wish === undefined) return;
    const before = this.#alone ? await this.#foretell(wish) : undefined;
    wish.isCancelled = true; // said, if not yet done
    const told = await cancelRequest(this.#t.db, wish.requestId, "all");
    if (told?.kind === "cancelled" && told.engineJob !== null)
      this.#engine.remove(told.engineJob.id);
    if (before !== undefined) expect(told?.kind).toBe(before);
  }

  /** Only the last live request of a run takes it along. */
  async #foretell(wish: Wish): Promise<Cancellation["kind"]> {
    const { rows } = await sql<{ isOver: boolean; isRunning: boolean }>`
      SELECT finished_at IS NOT NULL AS is_over, running_attempt_id IS NOT NULL AS is_running
      FROM all_job_runs WHERE id = ${wish.runId}`.execute(this.#t.db.kysely);
    if (rows[0]?.isOver) return "over";
    const others = this.#account.wishes.some(
      (other) => other !== wish && other.runId === wish.runId && !other.isCancelled,
    );
    if (others) return "left";
    return rows[0]?.isRunning ? "cancelling" : "cancelled";
  }

  async #reconcile(): Promise<void> {
    for (const run of await this.#t.store.silent(-1_000, 100)) {
      const job = this.#engine.find(run.engineJobId);
      if (job === undefined) {
        const won = await this.#t.store.reclaim([run]);
        if (won.length === 1) this.#engine.add(run.engineJobId);
      } else if (job.state === "waiting" || job.state === "active")
        await this.#t.store.touch([run.id]);
      else
        await this.#t.store.copyEnd({
          runId: run.id,
          state: job.state === "failed" ? "dead" : job.state,
          result: null,
          code: null,
          message: null,
          endedAt: new Date(),
        });
    }
  }

  async #runs(): Promise<Map<string, RunRow>> {
    const { rows } = await sql<RunRow>`
      SELECT id, slot, state, (payload ->> 'change')::int AS change FROM all_job_runs
      WHERE slot = ANY(${[...this.#slots]})`.execute(this.#t.db.kysely);
    return new Map(rows.map((run) => [run.id, run]));
  }
}

const NOBODY = { requestedBy: null, traceparent: null };

const IN_ENGINE: Record<OutcomeKind, ModelJob["state"]> = {
  completed: "completed",
  dead: "failed",
  cancelled: "cancelled",
  retry: "waiting",
  postpone: "waiting",
  interrupted: "waiting",
};

const pick = <T>(among: readonly T[], which: number): T | undefined =>
  among[which % Math.max(1, among.length)];
