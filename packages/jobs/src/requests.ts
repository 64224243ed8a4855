import { type AnyJob, type PayloadInput, parsePayload } from "@ballast/contracts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Asked, Lineage, NewWish, RunStore } from "./store.ts";

/** BullMQ's lowest urgency; a run with any other number would never be handed over. */
const MAX_PRIORITY = 2_097_151;

/** Who wishes for what, and when. */
export interface Wish {
  /** Answered back as the request's id; made up if absent. */
  readonly requestId?: string;
  readonly companyId: string | null;
  readonly requestedBy: string | null;
  readonly subject?: string;
  readonly traceparent?: string | null;
  /** The contract's if absent; 0 is the most urgent, 2,097,151 the least. */
  readonly priority?: number;
  readonly dueAt?: Date;
  /** Wait until `release` is called with this key. */
  readonly heldFor?: string;
  /** It is to be done again, after it died. */
  readonly replay?: Replay;
}

export type SimpleWish = Omit<Wish, "heldFor" | "replay">;

export interface Replay extends Lineage {
  /** The version its payload has. */
  readonly version: number;
}

export interface Requests<Tx> {
  /**
   * Record a wish inside the transaction that makes it true. Nothing reaches the engine before the
   * commit; nudge the dispatcher after it.
   *
   * @throws {ContractError} if the payload breaks its contract; {RangeError} for a priority or a time
   * that no engine takes
   */
  ask<Job extends AnyJob>(tx: Tx, job: Job, payload: PayloadInput<Job>, wish: Wish): Promise<Asked>;
  /**
   * Record many wishes for one job, as if each was asked for after the one before it, in a transaction of their own;
   * in their order. None of them may be held or a replay. The dispatcher, if there is one, hands them over.
   *
   * @throws as {@link ask} does; none is recorded then
   */
  commitAll<Job extends AnyJob>(
    job: Job,
    wishes: ReadonlyArray<SimpleWish & { readonly payload: PayloadInput<Job> }>,
  ): Promise<Asked[]>;
  /** Let the runs held for `key` go; answers how many. */
  release(tx: Tx, key: string): Promise<number>;
}

/** The slot as it is stored: no two jobs or companies ever share one. */
export const slotKey = (job: AnyJob, companyId: string | null, payload: unknown): string | null =>
  job.slot === undefined ? null : `${job.name}:${companyId ?? "-"}:${job.slot(payload)}`;

export const createRequests = <Tx>({
  store,
  dispatcher,
}: {
  readonly store: Pick<RunStore<Tx>, "ask" | "commitAll" | "release">;
  readonly dispatcher?: Pick<Dispatcher, "takes" | "take" | "nudge">;
}): Requests<Tx> => ({
  ask(tx, job, input, wish) {
    const { run, request } = newWish(job, input, wish);
    return wish.replay === undefined
      ? store.ask(tx, run, request)
      : store.ask(tx, run, request, wish.replay);
  },
  async commitAll(job, wishes) {
    const takes = dispatcher?.takes ?? false;
    const { asked, taken } = await store.commitAll(newWishes(job, wishes), takes);
    dispatcher?.take(taken);
    if (taken.length < asked.length) dispatcher?.nudge();
    return asked;
  },
  release: (tx, key) => store.release(tx, key),
});

const newWishes = <Job extends AnyJob>(
  job: Job,
  wishes: ReadonlyArray<SimpleWish & { readonly payload: PayloadInput<Job> }>,
): NewWish[] => wishes.map(({ payload, ...wish }) => newWish(job, payload, wish));

function newWish<Job extends AnyJob>(job: Job, input: PayloadInput<Job>, wish: Wish): NewWish {
  const payload = parsePayload(job, input);
  // As it was: fields that this release does not know may mean something to the worker.
  const isVerbatim = wish.replay?.isChanged === false;
  const dueAt = wish.dueAt ?? null;
  if (Number.isNaN(dueAt?.getTime())) throw new RangeError(`${job.name}: dueAt is no time`);
  const priority = wish.priority ?? job.priority;
  if (!Number.isInteger(priority) || priority < 0 || priority > MAX_PRIORITY)
    throw new RangeError(
      `${job.name}: priority must be a whole number in [0, ${MAX_PRIORITY}], not ${priority}`,
    );
  return {
    run: {
      queue: job.queue.name,
      job: job.name,
      version: wish.replay?.version ?? job.version,
      payload: isVerbatim ? input : payload,
      companyId: wish.companyId,
      subject: wish.subject ?? job.subject?.(payload) ?? null,
      slot: slotKey(job, wish.companyId, payload),
      priority,
      dueAt,
      // Of one that was due before it was asked for, the wait begins now.
      deadlineAt: new Date(Math.max(dueAt?.getTime() ?? 0, Date.now()) + job.giveUpAfterMs),
      heldFor: wish.heldFor ?? null,
    },
    request: {
      ...(wish.requestId === undefined ? {} : { id: wish.requestId }),
      requestedBy: wish.requestedBy,
      traceparent: wish.traceparent ?? null,
    },
  };
}
