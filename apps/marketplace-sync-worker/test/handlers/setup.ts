import { randomBytes, randomUUID } from "node:crypto";
import type { AnyJob } from "@ballast/contracts";
import { pushStock } from "@ballast/contracts";
import {
  insertAccount,
  listListings,
  type MarketplaceAccount,
  openRemoteStore,
  openRunStore,
  parkStillborn,
  parseKeyRing,
  putListings,
  type StockChange,
  sealCredentials,
  setStock,
  updateAccount,
  upsertCompany,
  upsertProducts,
} from "@ballast/database";
import { type Attempt, createRequests } from "@ballast/jobs";
import {
  createTestDatabase,
  type MarketplaceDouble,
  type MarketplaceDoubleOptions,
  sampleCompany,
  startMarketplaceDouble,
} from "@ballast/testing";
import { accountGuards } from "../../src/accounts/account-guards.ts";
import { openAccounts } from "../../src/accounts/open-accounts.ts";
import { revive } from "../../src/accounts/reviving.ts";
import { pushListingHandler } from "../../src/handlers/push-listing.ts";
import { pushStockHandler } from "../../src/handlers/push-stock.ts";
import { reconcileStockHandler } from "../../src/handlers/reconcile-stock.ts";
import { openRemoteHttp } from "../../src/http/remote-http.ts";
import { keptLog } from "../kept-log.ts";

export const keysText = `test:${randomBytes(32).toString("base64")}`;
const keys = parseKeyRing(keysText);

interface Options {
  readonly market: MarketplaceDoubleOptions;
  readonly account?: Partial<MarketplaceAccount>;
  readonly settings?: object;
  /** How listings name an id of the marketplace. Default: as it is. */
  readonly named?: (externalId: string) => string;
  readonly budgetMs?: number;
}

/** A company whose articles are all listed at the double of a marketplace, and the handlers in between. */
export async function setup({
  market: marketOptions,
  account: change,
  settings,
  named = (externalId) => externalId,
  budgetMs = 20_000,
}: Options) {
  await using opening = new AsyncDisposableStack();
  const { db, url } = opening.use(await createTestDatabase());
  const market = opening.use(
    await startMarketplaceDouble({ quota: { burst: 1_000, perSecond: 1_000 }, ...marketOptions }),
  );
  const log = keptLog();
  const http = opening.use(openRemoteHttp({ log, allowPrivate: true }));
  const requests = createRequests({ store: openRunStore(db) });
  const company = await upsertCompany(db.kysely, sampleCompany());
  const skus = Object.keys(marketOptions.stock);
  const article = (sku: string) => ({
    companyId: company.id,
    sku,
    name: sku,
    unitPriceMinor: 100n,
    currency: "EUR",
  });
  await upsertProducts(db.kysely, skus.map(article));
  const account = await db.transaction(async (tx) => {
    const id = randomUUID();
    const opened = await insertAccount(
      tx,
      {
        id,
        companyId: company.id,
        kind: market.kind,
        name: "shop",
        settings: { ...market.account.settings, ...settings },
        minPushIntervalMs: 0,
        reconcile: null,
        driftWinner: "ours",
        maxCorrections: 2,
        ...change,
      },
      sealCredentials(keys, id, market.account.credentials),
    );
    const facts = skus.map((sku) => ({ sku, externalId: named(market.externalId(sku)) }));
    await putListings(tx, opened, facts);
    return opened;
  });

  const guardOf = accountGuards(openRemoteStore(db), log);
  const openAccount = openAccounts({ db: db.kysely, keys, http, guardOf });
  const drifts: object[] = [];
  const deps = { database: db, requests, openAccount };
  const handlers = [
    pushStockHandler({ ...deps, budgetMs }),
    pushListingHandler(deps),
    reconcileStockHandler({ ...deps, onDrift: (_, item) => drifts.push(item) }),
  ];
  const run = async (job: AnyJob, more: object = {}, signal = new AbortController().signal) => {
    const handler = handlers.find(({ contract }) => contract.name === job.name);
    if (handler === undefined) throw new Error(`no handler of ${job.name}`);
    const attempt = {
      payload: { accountId: account.id, ...more },
      signal,
      log,
      progress() {},
      companyId: company.id,
    } as unknown as Attempt<never>;
    return job.result.parse(await handler.run(attempt));
  };
  const resources = opening.move();
  return {
    db,
    databaseUrl: url,
    company,
    account,
    market,
    skus,
    drifts,
    openAccount,
    /** Whoever read its row before, has it as it was. */
    moveAccount: (to: MarketplaceDouble) =>
      db.transaction((tx) =>
        updateAccount(
          tx,
          { ...account, settings: to.account.settings },
          sealCredentials(keys, account.id, to.account.credentials),
        ),
      ),
    run,
    addArticle: (sku: string, externalId: string) =>
      db.transaction(async (tx) => {
        await upsertProducts(tx, [article(sku)]);
        await putListings(tx, account, [{ sku, externalId }]);
      }),
    push: () => run(pushStock),
    revive: () => revive({ database: db, requests, log }),
    /** As one whose settings are wrong. */
    pushDied: () =>
      db.transaction((tx) =>
        parkStillborn(
          tx,
          [
            {
              queue: pushStock.queue.name,
              job: pushStock.name,
              version: 1,
              payload: { accountId: account.id },
              companyId: company.id,
              subject: `marketplace-account:${account.id}`,
              priority: 10,
              deadlineAt: new Date(),
              code: "account_invalid",
              message: "no such location",
            },
          ],
          "test",
        ),
      ),
    stock: (...changes: readonly StockChange[]) =>
      db.transaction((tx) => setStock(tx, company.id, changes)),
    listing: async (sku: string) =>
      (await listListings(db.kysely, account.id, { sku })).listings[0],
    /** As if the wait of items that failed were over. */
    retryNow: () => db.kysely.updateTable("listings").set({ retryAt: null }).execute(),
    /** Runs of the job that wait to be dispatched. */
    waiting: (job: string) =>
      db.kysely
        .selectFrom("jobRuns")
        .select(["dueAt", "priority", "slot"])
        .where("job", "=", job)
        .where("state", "=", "waiting")
        .execute(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** `SKU0` to `SKU<count - 1>`, all out of stock there. */
export const emptyStock = (count: number): Record<string, number> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`SKU${n}`, 0]));
