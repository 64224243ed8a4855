import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Chromium } from "./chromium.ts";
import { claimPort } from "./free-port.ts";
import { marketplaceKeys } from "./marketplace-keys.ts";
import { say } from "./say.ts";
import { type Supervised, supervise } from "./supervisor.ts";

/** What the services of one stack share. */
interface ServicesOptions {
  readonly dataDir: string;
  readonly databaseUrl: string;
  readonly queueUrl: string;
  readonly smtpUrl: string;
  readonly chromium: Chromium;
  /** Taken if free, else the next free one. */
  readonly apiPort: number;
  readonly signal: AbortSignal;
}

export interface Services extends AsyncDisposable {
  readonly apiUrl: string;
  /** Each service with where its metrics are. */
  metricsUrls(): ReadonlyArray<readonly [app: string, url: string]>;
}

/** Every app of the stack and what it gets beyond what all get; a new app is one more line. */
const apps: ReadonlyArray<{ app: string; env?: (o: ServicesOptions) => Record<string, string> }> = [
  { app: "api" },
  { app: "pdf-worker", env: ({ chromium }) => chromiumEnv(chromium) },
  { app: "email-worker" },
  { app: "marketplace-sync-worker", env: () => ({ MARKETPLACE_ALLOW_PRIVATE: "yes" }) },
  { app: "dlq-notifier", env: () => alertsByMail },
];

/** Start every service as its own process and wait until all are ready. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { dataDir, signal } = options;
  mkdirSync(join(dataDir, "logs"), { recursive: true });
  const documents = join(dataDir, "documents");
  mkdirSync(documents, { recursive: true });

  await using opening = new AsyncDisposableStack();
  const { port: apiPort } = opening.use(await claimPort(options.apiPort));
  if (apiPort !== options.apiPort) {
    say(`port ${options.apiPort} is taken: the API is on ${apiPort}`);
  }
  const shared = {
    DATABASE_URL: options.databaseUrl,
    QUEUE_URL: options.queueUrl,
    STORAGE_URL: pathToFileURL(documents).href,
    SMTP_URL: options.smtpUrl,
    MARKETPLACE_KEYS_FILE: marketplaceKeys(dataDir),
    API_HOST: "127.0.0.1",
    API_PORT: String(apiPort),
    API_PUBLIC_URL: `http://127.0.0.1:${apiPort}`,
  };

  const started = await Promise.allSettled(
    apps.map(async ({ app, env }) => {
      const service = await supervise(
        { app, dataDir, env: { ...shared, ...env?.(options) } },
        signal,
      );
      say(`${app} is ready`);
      return service;
    }),
  );
  const up = started.flatMap((s) => (s.status === "fulfilled" ? [s.value] : []));
  opening.defer(() => endAll(up));
  const failed = started.find((s) => s.status === "rejected");
  if (failed) throw failed.reason;

  const services = opening.move();
  return {
    apiUrl: `http://127.0.0.1:${apiPort}`,
    metricsUrls: () => up.map((s) => [s.app, `${s.opsUrl()}/metrics`] as const),
    [Symbol.asyncDispose]: () => services.disposeAsync(),
  };
}

/** All at once: each hands back its own work and waits for nobody. */
async function endAll(services: readonly Supervised[]): Promise<void> {
  await Promise.all(services.map((service) => service[Symbol.asyncDispose]()));
}

/** Alerts arrive where all mail of this stack does. */
const alertsByMail = {
  ALERT_MAIL_TO: "on-call@ballast.example",
  ALERT_MAIL_FROM: "alerts@ballast.example",
};

const chromiumEnv = (chromium: Chromium): Record<string, string> => ({
  CHROMIUM_PATH: chromium.executablePath,
  ...(chromium.libraryPath && { CHROMIUM_LIBRARY_PATH: chromium.libraryPath }),
  ...(chromium.fontconfigFile && { CHROMIUM_FONTCONFIG_FILE: chromium.fontconfigFile }),
});
