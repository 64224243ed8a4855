import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { migrate } from "@ballast/database";
import { prepareEngine } from "@ballast/jobs";
import { type PrivatePostgres, startPostgres } from "@ballast/local";
import pg from "pg";

/** The system of record of all drills of one run: durable, and every drill has a database of its own. */
export interface PostgresServer extends AsyncDisposable {
  /** A fresh database with our schema and the engine's, copied from one that was migrated. */
  createDatabase(): Promise<string>;
  stop(): Promise<void>;
  kill(): Promise<void>;
  /** Back again, at the same address, with what it kept. */
  start(): Promise<void>;
  /** Copy all that it keeps, for which it is away for a moment. */
  backUp(): Promise<Backup>;
}

/** Gone once it is disposed of. */
interface Backup extends Disposable {
  /** Everything is as it was then, at the same address. */
  restore(): Promise<void>;
}

const TEMPLATE = "drill_template";

export async function startPostgresServer(dataDir: string): Promise<PostgresServer> {
  const options = { dataDir, name: "postgres", durable: true };
  let server: PrivatePostgres = await startPostgres(options);
  const port = Number(new URL(server.url).port);
  const urlOf = (name: string) => Object.assign(new URL(server.url), { pathname: `/${name}` }).href;
  const admin = async (statement: string) => {
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };

  await admin(`CREATE DATABASE ${TEMPLATE}`);
  await migrate(urlOf(TEMPLATE));
  await prepareEngine(urlOf(TEMPLATE));
  const stop = () => server.process.end([["SIGINT", 20_000]]);
  const start = async () => {
    server = await startPostgres({ ...options, port });
  };
  // With its owner: PostgreSQL does not run as root.
  const copy = (from: string, to: string) => execFileSync("cp", ["-a", from, to]);
  return {
    async createDatabase() {
      const name = `drill_${randomBytes(6).toString("hex")}`;
      await admin(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
      return urlOf(name);
    },
    stop,
    kill: () => server.process.end([["SIGQUIT", 5_000]]),
    start,
    async backUp() {
      const { clusterDir } = server;
      const kept = `${clusterDir}.backup`;
      await stop();
      copy(clusterDir, kept);
      await start();
      return {
        async restore() {
          await stop();
          rmSync(clusterDir, { recursive: true });
          copy(kept, clusterDir);
          await start();
        },
        [Symbol.dispose]: () => rmSync(kept, { recursive: true, force: true }),
      };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
