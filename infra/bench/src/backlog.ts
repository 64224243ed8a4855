import { randomUUID } from "node:crypto";
import { echo } from "@ballast/contracts";
import { uuidv7 } from "@ballast/database";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import type pg from "pg";
import { openClient } from "./pg-client.ts";
import { handedOver, insertRuns } from "./preload.ts";

/** One queue and one journal, with whatever has gathered in them. */
export interface Backlog {
  readonly url: string;
  /** Of the queue's keys. */
  readonly prefix: string;
  readonly databaseUrl: string;
}

const BATCH = 5_000;
/** Rows of the three tables that one run leaves. */
const ROWS_A_RUN = 3;
const OLD = {
  job_runs_history: "old_runs",
  job_requests_history: "old_requests",
  job_attempts_history: "old_attempts",
};
/** Last month, so that no partition that stands ready is about it. */
const MONTH_AGO = "date_trunc('month', now()) - interval '10 days'";

/** What a bare `queue.add` and a failed attempt leave. */
const FAIL = `
  for n = ARGV[2] + 1, ARGV[3] do
    redis.call("HSET", ARGV[1] .. ":dead-" .. n, "name", "echo", "data", ARGV[4], "opts", "{}",
      "timestamp", "1", "delay", "0", "priority", "0", "atm", "5", "finishedOn", "2",
      "failedReason", "it failed")
    redis.call("ZADD", ARGV[1] .. ":failed", n, "dead-" .. n)
  end`;

const RUN =
  "id, queue, engine_job_id, job, version, payload, state, priority, created_at, deadline_at, handed_at, started_at, finished_at, attempts_made";
/** Of queue, job and state, which are the first three parameters. */
const runOf = (finishedAt: string) => `
  gen_random_uuid(), $1, 'old-' || n, $2, 1, jsonb_build_object('id', n::text), $3, 0,
  ${finishedAt}, ${finishedAt}, ${finishedAt}, ${finishedAt}, ${finishedAt}, 1`;

/** Jobs that wait, as runs and in the engine. */
export async function addWaiting({ url, prefix, databaseUrl }: Backlog, count: number) {
  const queue = new Queue(echo.queue.name, { connection: { url }, prefix });
  await withClient(databaseUrl, async (client) => {
    const requestId = randomUUID();
    for (let from = 0; from < count; from += BATCH) {
      const ids = Array.from({ length: Math.min(BATCH, count - from) }, () => uuidv7());
      await queue.addBulk(ids.map((id) => handedOver(id, requestId)));
      await insertRuns(client, ids);
    }
  });
  await queue.close();
}

/** Tell PostgreSQL what it holds now, so that no vacuum begins by itself in the middle of something. */
export const settle = ({ databaseUrl }: Backlog) =>
  withClient(databaseUrl, async (client) => {
    await client.query("VACUUM ANALYZE");
  });

/** Jobs that died a moment ago and that nobody has looked at: nothing removes them from the engine. */
export async function addDead({ url, prefix, databaseUrl }: Backlog, count: number) {
  const redis = new Redis(url);
  for (let from = 0; from < count; from += BATCH)
    await redis.eval(
      FAIL,
      0,
      `${prefix}:${echo.queue.name}`,
      from,
      Math.min(count, from + BATCH),
      JSON.stringify(handedOver("0", randomUUID()).data),
    );
  redis.disconnect();
  await withClient(databaseUrl, async (client) => {
    await client.query(
      `INSERT INTO job_runs (${RUN}) SELECT ${runOf("now()")} FROM generate_series(1, $4::int) AS n`,
      [echo.queue.name, echo.name, "dead", count],
    );
    await client.query(
      "INSERT INTO job_requests (id, run_id, joined) SELECT gen_random_uuid(), id, false FROM job_runs WHERE state = 'dead'",
    );
  });
}

/** Runs of last month, each with its request and its attempt, `rowCount` rows in all. */
export async function addHistory({ databaseUrl }: Backlog, rowCount: number) {
  const runs = Math.ceil(rowCount / ROWS_A_RUN);
  await withClient(databaseUrl, async (client) => {
    // Filled before they are attached: their indexes are then made at once.
    await client.query(`
      CREATE TABLE old_runs (LIKE job_runs INCLUDING DEFAULTS);
      ALTER TABLE old_runs ALTER finished_at SET NOT NULL;
      CREATE TABLE old_requests (LIKE job_requests_history);
      CREATE TABLE old_attempts (LIKE job_attempts_history);
      SET maintenance_work_mem = '256MB'`);
    await client.query(
      `INSERT INTO old_runs (${RUN}) SELECT ${runOf(MONTH_AGO)} FROM generate_series(1, $4::int) AS n`,
      [echo.queue.name, echo.name, "completed", runs],
    );
    await client.query(`
      INSERT INTO old_requests (id, run_id, joined, created_at, finished_at, queue, state)
      SELECT gen_random_uuid(), id, false, created_at, finished_at, queue, state FROM old_runs;
      INSERT INTO old_attempts (id, run_id, started_at, ended_at, outcome, finished_at)
      SELECT gen_random_uuid(), id, created_at, finished_at, 'completed', finished_at FROM old_runs`);
    for (const [parent, table] of Object.entries(OLD))
      await client.query(
        `ALTER TABLE ${parent} ATTACH PARTITION ${table} FOR VALUES FROM (MINVALUE) TO (date_trunc('month', now()))`,
      );
  });
}

async function withClient(
  databaseUrl: string,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  await using client = await openClient(databaseUrl);
  await work(client);
}
