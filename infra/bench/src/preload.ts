import { randomUUID } from "node:crypto";
import { echo, toBullmq } from "@ballast/contracts";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import pg from "pg";

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
  await fill(url, count, (n) => {
    const job = toBullmq(echo, { id: String(n) }, { requestId, deadline: FAR });
    return { ...job, opts: { ...job.opts, jobId: ids[n] ?? "" } };
  });
  return ids;
}

/** The same jobs as runs, as if the API had taken requests for them. */
export async function recordRuns(databaseUrl: string, ids: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query("TRUNCATE job_runs, job_requests, job_attempts CASCADE");
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
    await client.query("ANALYZE job_runs, job_requests, job_attempts");
  } finally {
    await client.end();
  }
}

async function fill(
  url: string,
  count: number,
  job: (n: number) => Parameters<Queue["addBulk"]>[0][number],
): Promise<void> {
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
