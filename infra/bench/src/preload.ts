import { randomUUID } from "node:crypto";
import { echo, toBullmq } from "@ballast/contracts";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import type pg from "pg";
import { openClient } from "./pg-client.ts";

type EngineJob = Parameters<Queue["addBulk"]>[0][number];

const BATCH = 2_000;
const FAR = "2100-01-01T00:00:00Z";

/** An empty Redis with `count` jobs as plain BullMQ adds them. */
export async function preloadBare(url: string, count: number): Promise<void> {
  await fill(url, count, (n) => ({ name: "echo", data: { id: String(n) } }));
}

/** An empty Redis with `count` jobs as our dispatcher hands them over; answers their ids. */
export async function preloadOurs(url: string, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  const requestId = randomUUID();
  await fill(url, count, (n) => handedOver(ids[n] ?? "", requestId));
  return ids;
}

/** A job as our dispatcher hands it over. */
export function handedOver(id: string, requestId: string): EngineJob {
  const job = toBullmq(echo, { id }, { requestId, deadline: FAR });
  // By its backoff the runtime knows what it handed over itself.
  return { ...job, opts: { ...job.opts, backoff: { type: "ballast" }, jobId: id } };
}

/** The same jobs as runs, as if the API had taken requests for them. */
export async function recordRuns(databaseUrl: string, ids: readonly string[]): Promise<void> {
  await using client = await openClient(databaseUrl);
  await client.query("TRUNCATE job_runs, job_requests, job_attempts CASCADE");
  await insertRuns(client, ids);
  await client.query("ANALYZE job_runs, job_requests, job_attempts");
}

/** Runs that were handed over, each with its request. */
export async function insertRuns(client: pg.Client, ids: readonly string[]): Promise<void> {
  await client.query(
    `INSERT INTO job_runs (id, queue, engine_job_id, job, version, payload, priority, deadline_at, handed_at, origin)
     SELECT id, $2, id::text, $3, 1, jsonb_build_object('id', n::text), $4, $5, now(), 'request'
     FROM unnest($1::uuid[]) WITH ORDINALITY AS of(id, n)`,
    [ids, echo.queue.name, echo.name, echo.priority, FAR],
  );
  await client.query(
    "INSERT INTO job_requests (id, run_id, joined) SELECT gen_random_uuid(), id, false FROM unnest($1::uuid[]) AS of(id)",
    [ids],
  );
}

async function fill(url: string, count: number, job: (n: number) => EngineJob): Promise<void> {
  const redis = new Redis(url);
  await redis.flushall();
  redis.disconnect();
  const queue = new Queue(echo.queue.name, { connection: { url } });
  for (let from = 0; from < count; from += BATCH) {
    const length = Math.min(BATCH, count - from);
    await queue.addBulk(Array.from({ length }, (_, n) => job(from + n)));
  }
  await queue.close();
}
