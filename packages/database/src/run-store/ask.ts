import { sql } from "kysely";
import type { Queryable, Tx } from "../database.ts";
import { storableJson } from "../storable.ts";
import { uuidv7 } from "../uuidv7.ts";
import { isUrgentAndFree } from "./dispatch.ts";
import type { Asked, ClaimedRun, Lineage, NewRequest, NewRun, NewWish } from "./port.ts";
import { DISPATCH_CHANNEL, notifyDispatchers } from "./wake.ts";

/**
 * Record a wish: a new run, or a place in the one that waits in its slot. The wish to do again what
 * died also finds its place in one that is started, since that is doing the same work.
 *
 * One statement decides. If the waiting run is being started at this moment, PostgreSQL waits for that
 * start to commit and then inserts afresh, so a run that has begun never swallows a wish.
 *
 * To hold a run for something that another transaction may finish meanwhile: ask first, then look for
 * that thing, and `release` if it is there. Both take one lock per key, so one of them sees the other.
 */
export async function ask(
  tx: Tx,
  run: NewRun,
  request: NewRequest,
  lineage?: Lineage,
): Promise<Asked> {
  const requestId = request.id ?? uuidv7();
  if (lineage?.isChanged === false) {
    const started = await joinStarted(tx, run, lineage);
    if (started !== undefined) {
      await addRequest(tx, requestId, started, request);
      return { requestId, runId: started, joined: true };
    }
  }
  if (run.heldFor !== null) await lockHold(tx, run.heldFor);
  const wish = { run, request: { ...request, id: requestId } };
  const [recorded] = await insert(tx, [wish], { lineage });
  return (recorded as Recorded).asked;
}

export interface Recorded {
  readonly asked: Asked;
  /** Its run, if it is new and noted as handed over. */
  readonly taken?: ClaimedRun;
}

/**
 * Record many wishes at once, each as {@link ask} would, one after the other.
 *
 * @param takes whether new runs that could be handed over at once are noted as handed over
 * @returns what became of each, in their order
 */
export async function askAll(
  db: Queryable,
  wishes: readonly NewWish[],
  takes: boolean,
): Promise<Recorded[]> {
  const done = new Map<NewWish, Recorded>();
  for (let left = wishes; left.length > 0; left = left.filter((wish) => !done.has(wish))) {
    const turn = oneOfEachSlot(left);
    const recorded = await insert(db, turn, { takes });
    for (const [n, one] of recorded.entries()) done.set(turn[n] as NewWish, one);
  }
  return wishes.map((wish) => done.get(wish) as Recorded);
}

/** Whether {@link askAll} takes one statement. */
export const shareNoSlot = (wishes: readonly NewWish[]): boolean =>
  oneOfEachSlot(wishes).length === wishes.length;

/** One statement changes no row twice. Sorted, so that two transactions never wait for each other's slots. */
function oneOfEachSlot(wishes: readonly NewWish[]): NewWish[] {
  const first = new Map<string, NewWish>();
  for (const wish of wishes) {
    const { queue, slot } = wish.run;
    const key = slot === null ? `${queue} ${first.size}` : `${queue}:${slot}`;
    if (!first.has(key)) first.set(key, wish);
  }
  return [...first].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, wish]) => wish);
}

interface InsertOptions {
  readonly lineage?: Lineage | undefined;
  readonly takes?: boolean;
}

/**
 * Wishes of different slots; wakes the dispatchers unless all are held or taken.
 *
 * @returns what became of each, in their order
 */
async function insert(
  db: Queryable,
  wishes: readonly NewWish[],
  { lineage, takes = false }: InsertOptions,
): Promise<Recorded[]> {
  const { replayOf = null, generation = 1, isChanged = true } = lineage ?? {};
  const origin = lineage === undefined ? "request" : "replay";
  const rows = wishes.map(({ run, request }) => ({
    ...run,
    ...request,
    id: uuidv7(),
    payload: storableJson(run.payload),
    requestId: request.id ?? uuidv7(),
  }));
  const isHeld = wishes.every(({ run }) => run.heldFor !== null);
  const column = (name: keyof (typeof rows)[number]) => rows.map((row) => row[name]);
  const { rows: answers } = await sql<Asked & { isTaken: boolean; createdAt: Date }>`
    WITH wish AS MATERIALIZED (
      SELECT * FROM unnest(
        ${column("id")}::uuid[], ${column("queue")}::text[], ${column("job")}::text[],
        ${column("version")}::int[], ${column("payload")}::text[], ${column("companyId")}::uuid[],
        ${column("subject")}::text[], ${column("slot")}::text[], ${column("priority")}::int[],
        ${column("dueAt")}::timestamptz[], ${column("deadlineAt")}::timestamptz[],
        ${column("heldFor")}::text[],
        ${column("requestId")}::uuid[], ${column("requestedBy")}::text[], ${column("traceparent")}::text[]
      ) AS w (id, queue, job, version, payload, company_id, subject, slot, priority, due_at, deadline_at,
              held_for, request_id, requested_by, traceparent)
    ), run AS (
      INSERT INTO job_runs (id, queue, engine_job_id, job, version, payload, company_id, subject,
                            slot, priority, due_at, deadline_at, held_for, generation, replay_of, origin,
                            handed_at, touched_at, engine_priority)
      SELECT id, queue, id, job, version, payload::jsonb, company_id, subject,
             slot, priority, due_at, deadline_at, held_for,
             ${generation}::int, ${replayOf}::uuid, ${origin},
             handed.at, handed.at, CASE WHEN handed.at IS NOT NULL THEN priority END
      FROM wish r CROSS JOIN LATERAL (
        SELECT CASE WHEN ${takes} AND r.held_for IS NULL AND ${isUrgentAndFree} THEN now() END AS at) handed
      ON CONFLICT (queue, slot) WHERE state = 'waiting' DO UPDATE SET
        -- A replay asks for what was wanted before it died, and what waits was wanted later.
        version = CASE WHEN ${isChanged} THEN excluded.version ELSE job_runs.version END,
        payload = CASE WHEN ${isChanged} THEN excluded.payload ELSE job_runs.payload END,
        held_for = CASE WHEN ${isChanged} THEN excluded.held_for ELSE job_runs.held_for END,
        priority = least(job_runs.priority, excluded.priority),
        -- No due time means now, which is earlier than any.
        due_at = CASE WHEN job_runs.due_at IS NOT NULL AND excluded.due_at IS NOT NULL
                      THEN least(job_runs.due_at, excluded.due_at) END,
        deadline_at = greatest(job_runs.deadline_at, excluded.deadline_at),
        generation = greatest(job_runs.generation, excluded.generation),
        replay_of = coalesce(job_runs.replay_of, excluded.replay_of),
        change_no = nextval('job_run_changes')
      RETURNING id, queue, slot, handed_at, created_at
    ), asked AS (
      INSERT INTO job_requests (id, run_id, requested_by, traceparent, joined)
      SELECT w.request_id, run.id, w.requested_by, w.traceparent, run.id <> w.id
      FROM wish w
      JOIN run ON run.queue = w.queue
        AND coalesce(run.slot, run.id::text) = coalesce(w.slot, w.id::text)
      RETURNING id, run_id, joined
    ), answer AS (
      SELECT asked.id AS request_id, run_id, joined, created_at,
             NOT joined AND handed_at IS NOT NULL AS is_taken
      FROM asked JOIN run ON run.id = run_id
    )
    SELECT answer.*,
      CASE WHEN NOT ${isHeld} AND NOT is_taken THEN pg_notify(${DISPATCH_CHANNEL}, '')::text END AS woken
    FROM answer`.execute(db);
  const byRequest = new Map(answers.map((answer) => [answer.requestId, answer]));
  return rows.map(({ id, requestId, requestedBy, traceparent }, n) => {
    const answer = byRequest.get(requestId);
    if (answer === undefined) throw new Error(`request ${requestId} was not recorded`);
    const { runId, joined, isTaken, createdAt } = answer;
    const asked = { requestId, runId, joined };
    if (!isTaken) return { asked };
    const { run } = wishes[n] as NewWish;
    const own = { id, engineJobId: id, createdAt, inEngine: false };
    return { asked, taken: { ...run, ...own, requestId, requestedBy, traceparent } };
  });
}

/**
 * Give a replay to the run of its slot that is started, unless another waits, which starts later and
 * therefore sees more. What died before it started may have been wished after the started one began,
 * which then knows nothing of it: that gets a run of its own.
 *
 * Locks the run: either it was over, or this wish is one of its requests when it ends.
 */
async function joinStarted(tx: Tx, run: NewRun, lineage: Lineage): Promise<string | undefined> {
  if (run.slot === null) return undefined;
  const { rows } = await sql<{ id: string }>`
    UPDATE job_runs r SET
      generation = greatest(r.generation, ${lineage.generation}),
      replay_of = coalesce(r.replay_of, ${lineage.replayOf}::uuid),
      deadline_at = greatest(r.deadline_at, ${run.deadlineAt}),
      change_no = nextval('job_run_changes')
    WHERE r.queue = ${run.queue} AND r.slot = ${run.slot} AND r.state = 'started'
      -- One that is being cancelled ends without having done the work.
      AND r.cancel_requested_at IS NULL
      AND EXISTS (
        SELECT 1 FROM all_job_runs d
        WHERE d.id = ${lineage.replayOf} AND d.started_at IS NOT NULL)
      AND NOT EXISTS (
        SELECT 1 FROM job_runs w
        WHERE w.queue = r.queue AND w.slot = r.slot AND w.state = 'waiting')
    RETURNING r.id`.execute(tx);
  return rows[0]?.id;
}

async function addRequest(tx: Tx, id: string, runId: string, request: NewRequest): Promise<void> {
  const { requestedBy, traceparent } = request;
  await tx
    .insertInto("jobRequests")
    .values({ id, runId, requestedBy, traceparent, joined: true })
    .execute();
}

/** Let the runs held for `key` go. @returns how many */
export async function release(tx: Tx, key: string): Promise<number> {
  await lockHold(tx, key);
  const { numUpdatedRows } = await tx
    .updateTable("jobRuns")
    .set({ heldFor: null, changeNo: sql<bigint>`nextval('job_run_changes')` })
    .where("heldFor", "=", key)
    .where("state", "=", "waiting")
    .executeTakeFirst();
  if (numUpdatedRows > 0n) await notifyDispatchers(tx);
  return Number(numUpdatedRows);
}

/** Until `tx` ends. A collision of two keys' hashes costs a wait, nothing else. */
const lockHold = (tx: Tx, key: string) =>
  sql`SELECT pg_advisory_xact_lock(hashtextextended(${`ballast:hold:${key}`}, 0))`.execute(tx);
