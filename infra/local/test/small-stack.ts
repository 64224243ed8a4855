import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createApiKey } from "@ballast/database";
import { prepareEngine } from "@ballast/jobs";
import {
  createTestDatabase,
  type EngineUnderTest,
  type SmtpServerOptions,
  sampleLine,
  seedIssuedInvoice,
  startSmtpServer,
  until,
} from "@ballast/testing";
import { type ApiClient, apiClient } from "../src/api-client.ts";
import { ensureChromium } from "../src/chromium.ts";
import { marketplaceKeys } from "../src/marketplace-keys.ts";
import { endServiceProcess, startServiceProcess, untilReady } from "../src/service-process.ts";
import { dataFolder } from "./data-folder.ts";

/** What `GET /v1/jobs/{id}` says, as far as these tests look. */
export interface JobAnswer {
  readonly state: string;
  readonly result: Record<string, unknown> | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly attempts: ReadonlyArray<{ readonly outcome: string }>;
}

/** The API and real stores of one test; workers are started, and killed, one by one. */
export async function openSmallStack(
  engine: EngineUnderTest,
  smtpOptions?: SmtpServerOptions,
  more: Readonly<Record<string, string>> = {},
) {
  await using opening = new AsyncDisposableStack();
  const database = opening.use(await createTestDatabase());
  const queue = opening.use(await engine.open());
  await prepareEngine(queue.url);
  const smtp = opening.use(await startSmtpServer(smtpOptions));
  const data = opening.use(await dataFolder());
  const chromium = ensureChromium(process.env);
  for (const folder of ["logs", "documents"]) mkdirSync(join(data.dir, folder));
  const env = {
    DATABASE_URL: database.url,
    QUEUE_URL: queue.url,
    QUEUE_PREFIX: queue.prefix,
    STORAGE_URL: pathToFileURL(join(data.dir, "documents")).href,
    SMTP_URL: smtp.url,
    API_PORT: "0", // any free one
    MARKETPLACE_KEYS_FILE: marketplaceKeys(data.dir),
    CHROMIUM_PATH: chromium.executablePath,
    ...(chromium.libraryPath && { CHROMIUM_LIBRARY_PATH: chromium.libraryPath }),
    ...(chromium.fontconfigFile && { CHROMIUM_FONTCONFIG_FILE: chromium.fontconfigFile }),
    ...more,
  };
  const services = opening.use(new AsyncDisposableStack());
  const start = async (app: string) => {
    const service = await startServiceProcess({ app, dataDir: data.dir, env });
    services.defer(() => endServiceProcess(service));
    await untilReady(app, service, new AbortController().signal);
    return { ...service.process, opsUrl: service.opsUrl };
  };
  const { opsUrl, output } = await start("api");
  const listening = () => /"url":"([^"]+)".*"api listening"/.exec(output())?.[1];
  const url = await until(listening, { what: "the API's own word where it listens" });
  const scopes = ["read", "write", "operate"] as const;
  const { key } = await createApiKey(database.db.kysely, {
    name: "test",
    companyId: null,
    scopes: [...scopes],
  });
  const api: ApiClient = apiClient(url, key, new AbortController().signal);
  const job = async (location: string) => (await api.call("GET", location)).body as JobAnswer;
  const stack = opening.move();
  return {
    db: database.db,
    databaseUrl: database.url,
    /** Of the stack's own files. */
    dataDir: data.dir,
    queue,
    smtp,
    api,
    /** Where the API serves its metrics. */
    opsUrl,
    /** All that an app has logged. */
    log: (app: string) => readFileSync(join(data.dir, "logs", `${app}.log`), "utf8"),
    start,
    job,
    /** An issued invoice of so many lines. */
    invoice: async (lines: number) => {
      const { invoice } = await seedIssuedInvoice(database.db, {
        invoice: {
          lines: Array.from({ length: lines }, (_, index) =>
            sampleLine({ description: `Position ${index + 1}` }),
          ),
        },
      });
      return invoice;
    },
    ask: async (path: string) => {
      const answer = await api.call("POST", path);
      return String(answer.headers["location"]);
    },
    /** Resolves with the job once it is in one of `states`. */
    reach: (location: string, states: readonly string[], deadlineMs = 240_000) =>
      until(
        async () => {
          const found = await job(location);
          return states.includes(found.state) ? found : undefined;
        },
        { deadlineMs, what: `${location} in ${states}` },
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
