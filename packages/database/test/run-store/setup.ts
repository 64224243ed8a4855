import { randomUUID } from "node:crypto";
import { createTestDatabase } from "@ballast/testing";
import { sql } from "kysely";
import {
  type Asked,
  type AttemptEnd,
  findJobRequest,
  type NewRequest,
  type NewRun,
  openRunStore,
  type Start,
  type Started,
} from "../../src/index.ts";

export const HOUR_MS = 3_600_000;
export const LEASE_MS = 30_000;

export const aRun = (change: Partial<NewRun> = {}): NewRun => ({
  queue: "pdf",
  job: "render-invoice",
  version: 1,
  payload: { n: 1 },
  companyId: null,
  subject: null,
  slot: null,
  priority: 0,
  dueAt: null,
  deadlineAt: new Date(Date.now() + HOUR_MS),
  heldFor: null,
  ...change,
});

/** A store on a database of its own, with short words for what tests do most. */
export async function setup() {
  const { db, url, [Symbol.asyncDispose]: dispose } = await createTestDatabase();
  const store = openRunStore(db);
  const ask = (change: Partial<NewRun> = {}, request: Partial<NewRequest> = {}): Promise<Asked> =>
    db.transaction((tx) =>
      store.ask(tx, aRun(change), { requestedBy: null, traceparent: null, ...request }),
    );
  const aStart = (engineJobId: string, change: Partial<Start> = {}): Start => ({
    attemptId: randomUUID(),
    queue: "pdf",
    engineJobId,
    worker: "host:1",
    ...change,
  });
  const start = async (engineJobId: string, change: Partial<Start> = {}): Promise<Started> => {
    const [answer] = await store.start([aStart(engineJobId, change)]);
    if (answer === undefined) throw new Error("no answer to a start");
    return answer;
  };
  /** Start a run, whatever it takes; its attempt's id. */
  const begin = async (runId: string): Promise<string> => {
    const attemptId = randomUUID();
    const answer = await start(runId, { attemptId });
    if (answer.kind !== "go") throw new Error(`run ${runId} did not start: ${answer.kind}`);
    return attemptId;
  };
  const end = (runId: string, attemptId: string, change: Partial<AttemptEnd> = {}): AttemptEnd => ({
    attemptId,
    runId,
    outcome: "completed",
    startedAt: new Date(Date.now() - 100),
    endedAt: new Date(),
    worker: "host:1",
    result: null,
    code: null,
    message: null,
    stack: null,
    nextAttemptAt: null,
    ...change,
  });
  const view = async (requestId: string) => {
    const found = await findJobRequest(db.kysely, requestId, "all");
    if (found === undefined) throw new Error(`no request ${requestId}`);
    return found;
  };
  return {
    db,
    url,
    store,
    ask,
    aStart,
    start,
    begin,
    end,
    view,
    runOf: async (requestId: string) => (await view(requestId)).run,
    claim: (limit = 100, owed: Record<string, number> = {}) => store.claim(limit, LEASE_MS, owed),
    /** Make it look as if the run was last heard of this long ago. */
    touchedAgo: (runId: string, interval: string) =>
      sql`UPDATE job_runs SET touched_at = now() - ${interval}::interval WHERE id = ${runId}`.execute(
        db.kysely,
      ),
    [Symbol.asyncDispose]: dispose,
  };
}

export type Setup = Awaited<ReturnType<typeof setup>>;
