import { randomBytes } from "node:crypto";
import { pathToFileURL } from "node:url";
import { createApiKey, type Database, openDatabase } from "@ballast/database";
import {
  ensureChromium,
  freePort,
  type ServiceProcess,
  type ServiceSpec,
  startServiceProcess,
  untilReady,
} from "@ballast/local";
import type { BenchContext } from "./bench.ts";

/** Processes of our apps, on stores of the bench. */
export interface Services {
  readonly db: Database;
  readonly databaseUrl: string;
  readonly queueUrl: string;
  readonly queuePrefix: string;
  /** What a request to the API carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** Start one; resolves once it is ready. Ends with the bench. */
  start(
    app: string,
    env?: Readonly<Record<string, string>>,
    built?: NonNullable<ServiceSpec["built"]>,
  ): Promise<App>;
}

export interface App {
  readonly pid: number;
  /** Of the API; of the others it serves nothing. */
  readonly url: string;
  readonly opsUrl: string;
  kill(): Promise<void>;
}

/** On a machine that others use too. */
const READY_WITHIN_MS = 180_000;

/** @param env beyond what every process gets */
export async function openServices(
  context: BenchContext,
  env: Readonly<Record<string, string>> = {},
): Promise<Services> {
  const databaseUrl = await context.servers.database();
  const { url: queueUrl } = await context.servers.redis();
  const db = context.use(
    await openDatabase(databaseUrl, {
      applicationName: "bench",
      poolMax: 4,
      connectTimeoutMs: 60_000,
    }),
  );
  const { key } = await createApiKey(db.kysely, {
    name: "bench",
    companyId: null,
    scopes: ["read", "write", "operate"],
  });
  const chromium = ensureChromium(process.env);
  // A queue of its own in the server that all benches share.
  const queuePrefix = `bench-${randomBytes(4).toString("hex")}`;
  const shared = {
    DATABASE_URL: databaseUrl,
    QUEUE_URL: queueUrl,
    QUEUE_PREFIX: queuePrefix,
    STORAGE_URL: pathToFileURL(context.folder).href,
    API_RATE_LIMIT_PER_MINUTE: "10000000",
    LOG_LEVEL: "warn",
    CHROMIUM_PATH: chromium.executablePath,
    ...(chromium.libraryPath && { CHROMIUM_LIBRARY_PATH: chromium.libraryPath }),
    ...(chromium.fontconfigFile && { CHROMIUM_FONTCONFIG_FILE: chromium.fontconfigFile }),
    ...env,
  };
  let started = 0;
  return {
    db,
    databaseUrl,
    queueUrl,
    queuePrefix,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    async start(app, own = {}, built = undefined) {
      const port = await freePort();
      const name = `${app}-${++started}`;
      const dataDir = `${context.folder}/..`;
      const service: ServiceProcess = await startServiceProcess({
        app,
        name,
        dataDir,
        env: { ...shared, API_PORT: String(port), ...own },
        ...(built && { built }),
      });
      context.use({ [Symbol.asyncDispose]: () => service.process.end([["SIGTERM", 3_000]]) });
      await untilReady(name, service, context.signal, READY_WITHIN_MS);
      return {
        pid: service.process.pid,
        url: `http://127.0.0.1:${port}`,
        opsUrl: service.opsUrl,
        kill: () => service.process.end([["SIGKILL", 5_000]]),
      };
    },
  };
}
