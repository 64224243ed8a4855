import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { migrate } from "@ballast/database";
import { findRedis, type PrivateRedis, startPostgres, startRedis } from "@ballast/local";
import pg from "pg";

/** Stores as production has them: Redis with its append-only file, PostgreSQL with fsync; each starts when first asked for. */
export interface Servers extends AsyncDisposable {
  redis(): Promise<PrivateRedis>;
  /** A fresh database with our schema. */
  database(): Promise<string>;
  /** A fresh database with nothing in it. */
  emptyDatabase(): Promise<string>;
  /** CPU-seconds that PostgreSQL has spent so far, all its processes together; 0 where no /proc tells. */
  postgresCpuSeconds(): number;
}

export function openServers(dataDir: string): Servers {
  const open = new AsyncDisposableStack();
  let redis: Promise<PrivateRedis> | undefined;
  let postgres: ReturnType<typeof startPostgres> | undefined;
  let postgresPid = 0;

  const startedRedis = async () => {
    const binary = findRedis();
    if (binary === undefined)
      throw new Error("no redis-server on PATH: apt-get install redis-server");
    return open.use(await startRedis({ binary, dataDir, name: "redis", durable: true }));
  };
  const startedPostgres = async () => {
    const server = open.use(await startPostgres({ dataDir, name: "postgres", durable: true }));
    postgresPid = server.pid;
    return server;
  };
  const emptyDatabase = async () => {
    postgres ??= startedPostgres();
    const { url } = await postgres;
    const name = `bench_${randomBytes(6).toString("hex")}`;
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`).finally(() => client.end());
    return Object.assign(new URL(url), { pathname: `/${name}` }).href;
  };
  return {
    redis: () => (redis ??= startedRedis()),
    emptyDatabase,
    async database() {
      const url = await emptyDatabase();
      await migrate(url);
      return url;
    },
    postgresCpuSeconds: () => cpuSecondsOf(postgresPid),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** Linux counts in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** CPU-seconds of a process, of its children, and of children that ended; 0 where no /proc tells. */
export function cpuSecondsOf(pid: number): number {
  for (let endedBefore: number | undefined; ; ) {
    const children = childrenOf(pid).reduce((sum, { own }) => sum + own, 0);
    const { own = 0, ended = 0 } = statOf(pid) ?? {};
    // A child that ended meanwhile may have been counted as itself, and as its parent's too.
    if (ended === endedBefore) return (own + ended + children) / TICKS_PER_SECOND;
    endedBefore = ended;
  }
}

const childrenOf = (pid: number) =>
  processIds().flatMap((id) => {
    const stat = statOf(id);
    return stat?.parent === pid ? [stat] : [];
  });

function processIds(): number[] {
  try {
    return readdirSync("/proc").map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function statOf(pid: number): { parent: number; own: number; ended: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name stands in brackets and may hold anything.
    const fields = text
      .slice(text.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = fields.slice(11, 15);
    return { parent: fields[1] ?? 0, own: user + system, ended: endedUser + endedSystem };
  } catch {
    return undefined; // it has just ended
  }
}
