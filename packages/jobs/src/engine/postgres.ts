import { createPostgresBackend, Queue, runMigrations, Worker } from "bullmq";
import pg from "pg";
import { UnfitEngineError } from "../unfit.ts";
import { BullmqEngine } from "./bullmq-engine.ts";
import type { Engine, EngineJobState, EngineOptions } from "./engine.ts";
import { OURS } from "./ours.ts";
import { openPool, SCHEMA } from "./postgres-pool.ts";

const UNDEFINED_TABLE = "42P01";
/** A login that is refused, or a database that is not there. */
const REFUSED = new Set(["28000", "28P01", "3D000"]);

/**
 * What a worker had and has no more, since it died or gave it back, was under way: it goes first, as on Redis.
 * BullMQ puts it behind all that waits, where a backlog would keep it for minutes.
 */
const FIRST_AGAIN = `
  create or replace function ${SCHEMA}.ballast_first_again() returns trigger language plpgsql as $$
    begin
      new.seq := -nextval('${SCHEMA}.job_seq');
      return new;
    end $$;
  create or replace trigger ballast_first_again before update on ${SCHEMA}.job for each row
    when (old.state = 'active' and new.state = 'waiting')
    execute function ${SCHEMA}.ballast_first_again();`;

/** BullMQ on PostgreSQL: the engine of a machine with nothing else installed. */
export function openPostgresEngine(url: string, { log, silenceMs }: EngineOptions): Engine {
  const pools: pg.Pool[] = [];
  // BullMQ cannot load the driver itself from an ES module, so each object is given a pool.
  const openOne = (max: number) => {
    const pool = openPool(url, { max, silenceMs, log });
    pools.push(pool);
    return pool;
  };
  const shared = openOne(5);

  return new BullmqEngine(
    {
      kind: "postgres",
      queue: (name) =>
        new Queue(name, { connection: shared as never }, createPostgresBackend as never),
      worker: (name, processor, options) => {
        // One of its connections listens for as long as the worker lives.
        const connection = openOne(6) as never;
        const settings = { ...options, connection };
        return new Worker(name, processor, settings, createPostgresBackend as never);
      },
      ready: async () => {},
      ping: async () => {
        await shared.query("select 1 from job limit 0").catch(refuse);
      },
      failed: async (queue, offset, limit) => {
        const { rows } = await shared.query<{
          id: string;
          created: string;
          finished: string;
          ours: boolean;
        }>(
          `select id, added_at_ms as created, coalesce(finished_at_ms, 0) as finished,
             coalesce(opts -> 'backoff' ->> 'type' = $4, false) as ours
           from job where queue = $1 and state = 'failed'
           order by finished_at_ms, id offset $2 limit $3`,
          [queue, offset, limit, OURS.type],
        );
        return rows.map(({ id, created, finished, ours }) => ({
          id,
          createdMs: Number(created),
          finishedMs: Number(finished),
          isOurs: ours,
        }));
      },
      stateOf: async (queue, id) => {
        const { rows } = await shared.query<{ state: EngineJobState["state"] }>(
          `select case when state = 'waiting-children' then 'waiting' else state::text end as state
           from job where queue = $1 and id = $2`,
          [queue, id],
        );
        return rows[0]?.state ?? "unknown";
      },
      heads: async (queue) => {
        const { rows } = await shared.query<{ since: string | null; due: string | null }>(
          `select
             (select coalesce(processed_at_ms, added_at_ms) from job
              where queue = $1 and state = 'waiting' order by priority, seq limit 1) as since,
             (select min(process_at_ms) from job where queue = $1 and state = 'delayed') as due`,
          [queue],
        );
        const numberOf = (text: string | null | undefined) => (text == null ? null : Number(text));
        return { headSinceMs: numberOf(rows[0]?.since), nextDueMs: numberOf(rows[0]?.due) };
      },
      readEpoch: async () => {
        const { rows } = await shared.query<{ epoch: string }>("select epoch from ballast_epoch");
        return rows[0]?.epoch ?? null;
      },
      writeEpoch: async (epoch) => {
        await shared.query(
          "insert into ballast_epoch (single, epoch) values (true, $1) on conflict (single) do update set epoch = excluded.epoch",
          [epoch],
        );
      },
      memory: async () => null,
      // It drops nothing, and its jsonb holds nothing that cannot be parsed.
      assertFit: async () => {},
      jammed: async () => [],
      removeJammed: async () => {},
      isFull: () => false, // a disk that is full is no matter of single queues
      makeRoom: async () => {},
      close: async () => {
        await Promise.allSettled(pools.map((pool) => pool.end()));
      },
    },
    log,
  );
}

/** Not away but not set up: nobody makes tables while others wait for them, and a login that is refused stays so. */
function refuse(error: Error & { readonly code?: string }): never {
  const { code = "", message } = error;
  if (code === UNDEFINED_TABLE)
    throw new UnfitEngineError(
      "QUEUE_URL: this database has no tables of the queue engine; run `migrate` with it",
    );
  if (!REFUSED.has(code)) throw error;
  throw new UnfitEngineError(
    `QUEUE_URL: PostgreSQL refuses it (${message}): are user, password and database right?`,
  );
}

/**
 * Bring BullMQ's own tables up to date. Safe to run from many processes at once.
 *
 * @returns false for Redis, which needs nothing
 */
export async function prepareEngine(url: string): Promise<boolean> {
  if (!/^postgres(ql)?:/.test(url)) return false;
  const client = new pg.Client({ connectionString: url, keepAlive: true });
  await client.connect();
  try {
    await runMigrations(client as never, SCHEMA);
    await client.query(
      `create table if not exists ${SCHEMA}.ballast_epoch (single boolean primary key check (single), epoch text not null)`,
    );
    await client.query(FIRST_AGAIN);
    return true;
  } finally {
    await client.end();
  }
}
