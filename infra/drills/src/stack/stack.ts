import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createApiKey, type Database, openDatabase } from "@ballast/database";
import { type EngineKind, ensureChromium, freePort } from "@ballast/local";
import { openObjectStore } from "@ballast/storage";
import {
  type SeededInvoice,
  type SmtpServerDouble,
  type SmtpServerOptions,
  sampleLine,
  seedIssuedInvoice,
  startSmtpServer,
} from "@ballast/testing";
import { sql } from "kysely";
import { storeRendered } from "../rendered.ts";
import { type Edit, editedEnv } from "../sabotage/sabotage.ts";
import { type Client, openClient } from "./client.ts";
import { type EngineServer, startPostgresEngine, startRedisServer } from "./engine-server.ts";
import { type OtherTeam, openOtherTeam } from "./other-team.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { type Replica, startReplica } from "./replica.ts";

export interface StackOptions {
  /** How many processes of each app, e.g. `{ api: 2, "email-worker": 1 }`; one API if absent. */
  readonly apps?: Readonly<Record<string, number>>;
  /** Processes that do `echo`, which no app of ours does. */
  readonly echoWorkers?: number;
  /** Beyond what every process of the stack gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further lines of Redis' configuration. */
  readonly redis?: readonly string[];
  readonly smtp?: SmtpServerOptions;
  /** Clocks that run faster than shipped, where a short drill has no time for the real ones. */
  readonly tuning?: readonly Edit[];
  /** Modules that each process loads before its own code. */
  readonly preload?: readonly string[];
}

/** A stack of one drill's own: real servers, real processes, and a hand on each. */
export interface Stack extends AsyncDisposable {
  readonly engine: EngineServer;
  readonly postgres: PostgresServer;
  readonly databaseUrl: string;
  readonly db: Database;
  readonly smtp: SmtpServerDouble;
  /** The API as a caller sees it: the first replica, the next where that does not answer. */
  readonly api: Client;
  /** Of each API replica that was started. */
  apiUrls(): readonly string[];
  /** Where its processes keep documents and logs. */
  readonly folder: string;
  /** Plain BullMQ on the same queues. */
  readonly otherTeam: OtherTeam;
  /** Processes that were started and have not been told to end. */
  replicas(app?: string): readonly Replica[];
  /** Start one more process of an app, or of `echo-worker`; resolves once it is ready. */
  start(app: string, env?: Readonly<Record<string, string>>): Promise<Replica>;
  /** The same, without waiting until it is ready. */
  launch(app: string, env?: Readonly<Record<string, string>>): Promise<Replica>;
  /** An issued invoice, for a customer of its own; `rendered` as the pdf-worker leaves it, for mails without a browser. */
  invoice(options?: {
    lines?: number;
    email?: string;
    name?: string;
    rendered?: boolean;
  }): Promise<SeededInvoice>;
}

interface Around {
  readonly kind: EngineKind;
  readonly postgres: PostgresServer;
  readonly folder: string;
  /** What is sabotaged. */
  readonly edits: readonly Edit[];
  /** Where processes note the edits they loaded. */
  readonly notes: string;
}

const ECHO_WORKER = join(import.meta.dirname, "../programs/echo-worker.ts");

export async function openStack(around: Around, options: StackOptions = {}): Promise<Stack> {
  const { kind, postgres, folder } = around;
  await using opening = new AsyncDisposableStack();
  for (const dir of ["logs", "documents"]) mkdirSync(join(folder, dir), { recursive: true });
  const databaseUrl = await postgres.createDatabase();
  const db = opening.use(
    await openDatabase(databaseUrl, { applicationName: "drill", poolMax: 4, log: { warn() {} } }),
  );
  await sql`CREATE TABLE drill_effects (run_id uuid NOT NULL, id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp())`.execute(db.kysely);
  const engine = opening.use(
    kind === "redis"
      ? await startRedisServer(folder, options.redis)
      : await startPostgresEngine(databaseUrl),
  );
  const smtp = opening.use(await startSmtpServer(options.smtp));
  const otherTeam = opening.use(openOtherTeam(engine.url));
  const { key } = await createApiKey(db.kysely, {
    name: "drill",
    companyId: null,
    scopes: ["read", "write", "operate"],
  });
  const storageUrl = pathToFileURL(join(folder, "documents")).href;
  const documents = opening.use(await openObjectStore(storageUrl));
  const chromium = ensureChromium(process.env);
  const shared = {
    DATABASE_URL: databaseUrl,
    QUEUE_URL: engine.url,
    STORAGE_URL: storageUrl,
    SMTP_URL: smtp.url,
    API_RATE_LIMIT_PER_MINUTE: "1000000",
    CHROMIUM_PATH: chromium.executablePath,
    ...(chromium.libraryPath && { CHROMIUM_LIBRARY_PATH: chromium.libraryPath }),
    ...(chromium.fontconfigFile && { CHROMIUM_FONTCONFIG_FILE: chromium.fontconfigFile }),
    ...editedEnv([...(options.tuning ?? []), ...around.edits], around.notes, options.preload),
    ...options.env,
  };

  const started: Array<Replica & AsyncDisposable> = [];
  const apiUrls: string[] = [];
  opening.defer(async () => {
    await Promise.all(started.map((replica) => replica[Symbol.asyncDispose]()));
  });
  const launch = async (app: string, env: Readonly<Record<string, string>> = {}) => {
    const name = `${app}-${started.filter((other) => other.app === app).length + 1}`;
    const apiPort = app === "api" ? await freePort() : 0;
    const replica = await startReplica({
      app,
      name,
      dataDir: folder,
      env: { ...shared, API_PORT: String(apiPort), ...env },
      ...(app === "echo-worker" ? { main: ECHO_WORKER } : {}),
    });
    started.push(replica);
    if (app === "api") apiUrls.push(`http://127.0.0.1:${apiPort}`);
    return replica;
  };
  const start = async (app: string, env?: Readonly<Record<string, string>>) => {
    const replica = await launch(app, env);
    await replica.untilReady();
    return replica;
  };
  const wanted = Object.entries({
    api: 1,
    ...options.apps,
    "echo-worker": options.echoWorkers ?? 0,
  });
  await Promise.all(
    wanted.flatMap(([app, count]) => Array.from({ length: count }, () => start(app))),
  );

  const opened = opening.move();
  return {
    engine,
    postgres,
    databaseUrl,
    db,
    smtp,
    otherTeam,
    folder,
    apiUrls: () => apiUrls,
    api: openClient(() => apiUrls, key),
    replicas: (app) => started.filter((r) => !r.hasEnded() && (app === undefined || r.app === app)),
    start,
    launch,
    async invoice({ lines = 2, rendered = false, ...customer } = {}) {
      const seeded = await seedIssuedInvoice(db, {
        customer,
        invoice: {
          lines: Array.from({ length: lines }, (_, n) =>
            sampleLine({ description: `Position ${n + 1}` }),
          ),
        },
      });
      if (rendered) await storeRendered(db, documents, seeded.invoice);
      return seeded;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
