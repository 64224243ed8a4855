import { randomBytes, randomUUID } from "node:crypto";
import { upsertCompany, upsertProducts } from "@ballast/database";
import { sampleCompany, startMarketplaceDouble, until } from "@ballast/testing";
import { Pool } from "undici";
import { type CONTAINERS, heapOptionsOf, IMAGE_ENV } from "../as-shipped.ts";
import type { Bench, BenchContext } from "../bench.ts";
import { buildApps } from "../build-apps.ts";
import { issuedInvoices } from "../issued-invoices.ts";
import { openClient } from "../pg-client.ts";
import { childrenPssMb, residentMb, watchMemory } from "../process-memory.ts";
import { openServices, type Services } from "../services.ts";
import { atATime } from "../subject-program.ts";

const ACCOUNTS = 50;
const EVERY_MS = 1_000;
const SKU = "SKU0";
/** What the processes hold while thousands of jobs go through them. */
export const memory: Bench = {
  name: "memory",
  about:
    "peak and growth of each process over 10,000 documents, their 10,000 mails and 10,000 pushes of stock",
  limitMs: 28 * 60_000,
  async run(context) {
    const count = context.sized(100, 10_000);
    const sink = await context.subject("smtp-sink");
    const { port } = await sink.ask("listen");
    const services = await openServices(context, {
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      MARKETPLACE_KEYS: `bench:${randomBytes(32).toString("base64")}`,
      MARKETPLACE_ALLOW_PRIVATE: "yes",
      PDF_CONCURRENCY: "2",
    });
    await buildApps(context.signal);
    const start = (app: keyof typeof CONTAINERS) =>
      services.start(app, IMAGE_ENV, { nodeOptions: heapOptionsOf(app) });
    const api = await start("api");
    const pdf = await start("pdf-worker");
    const email = await start("email-worker");
    const sync = await start("marketplace-sync-worker");
    const { ids } = await issuedInvoices(services, count);
    const http = context.use(client(api.url, services));
    const shop = await openShop(context, services, http.send);

    const work = (async () => {
      await atATime(5, count, (n) => http.send("POST", `/v1/invoices/${ids[n]}/send`, {}));
      await untilAllOver(services, context);
    })();
    const pushing = { over: false };
    const pushes = (async () => {
      // Each change is a push of every account; as many as there are mails.
      for (let n = 1; n <= count / ACCOUNTS && !pushing.over; n++) await shop.change(n);
    })();
    const all = Promise.all([work, pushes]).finally(() => {
      pushing.over = true;
    });
    const seen = await watchMemory(
      {
        api: () => residentMb(api.pid),
        "email-worker": () => residentMb(email.pid),
        "marketplace-sync-worker": () => residentMb(sync.pid),
        browser: () => childrenPssMb(pdf.pid),
        "pdf-worker": () => residentMb(pdf.pid),
      },
      EVERY_MS,
      all,
    );
    const limits = {
      api: 200,
      "email-worker": 150,
      "marketplace-sync-worker": 150,
      browser: 350,
    } as const;
    for (const [name, limitMb] of Object.entries(limits)) {
      const { peakMb, growthPercent } = seen[name as keyof typeof limits];
      const said = { against: `${name}, ${count} of its jobs`, rounds: 1 };
      context.state({
        ...said,
        figure: "peak",
        value: peakMb,
        unit: name === "browser" ? "MB, PSS" : "MB, resident",
        goal: { atMost: limitMb },
      });
      context.state({
        ...said,
        figure: "growth of the last half",
        value: growthPercent,
        unit: "%",
        goal: { atMost: 2 },
      });
    }
    context.note(`the process of pdf-worker itself: ${Math.round(seen["pdf-worker"].peakMb)} MB`);
  },
};

type Send = (method: "POST" | "PUT", path: string, body: object) => Promise<void>;

function client(url: string, { headers }: Services): { send: Send } & AsyncDisposable {
  const http = new Pool(url, { connections: 10 });
  return {
    async send(method, path, body) {
      const answer = await http.request({ method, path, headers, body: JSON.stringify(body) });
      const text = await answer.body.text();
      if (answer.statusCode >= 300)
        throw new Error(`${method} ${path} answers ${answer.statusCode}: ${text}`);
    },
    [Symbol.asyncDispose]: () => http.close(),
  };
}

/** One article at fifty accounts of one marketplace. */
async function openShop(context: BenchContext, services: Services, send: Send) {
  const { kysely } = services.db;
  const quota = { burst: 10_000, perSecond: 10_000 };
  const market = context.use(await startMarketplaceDouble({ stock: { [SKU]: 0 }, quota }));
  const { id: companyId } = await upsertCompany(kysely, sampleCompany());
  const product = { sku: SKU, name: SKU, unitPriceMinor: 100n, currency: "EUR" };
  await upsertProducts(kysely, [{ companyId, ...product }]);
  for (let n = 0; n < ACCOUNTS; n++) {
    const path = `/v1/marketplace-accounts/${randomUUID()}`;
    const account = { companyId, kind: market.kind, name: `bench ${n}`, ...market.account };
    await send("PUT", path, { ...account, minPushIntervalMs: 0 });
    await send("PUT", `${path}/listings`, {
      listings: [{ sku: SKU, externalId: market.externalId(SKU) }],
    });
  }
  return {
    /** Change the stock, and wait until every account has told it. */
    async change(quantity: number): Promise<void> {
      await send("PUT", `/v1/stock/${SKU}`, { companyId, quantity });
      await until(() => market.counts().writes >= quantity * ACCOUNTS, { deadlineMs: 120_000 });
    },
  };
}

async function untilAllOver(services: Services, { signal }: BenchContext): Promise<void> {
  await using db = await openClient(services.databaseUrl);
  const text = "SELECT FROM job_runs WHERE state IN ('waiting', 'started') LIMIT 1";
  while ((await db.query(text)).rowCount !== 0) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const dead = await db.query("SELECT FROM job_runs WHERE state = 'dead'");
  if (dead.rowCount !== 0) throw new Error(`${dead.rowCount} jobs died`);
}
