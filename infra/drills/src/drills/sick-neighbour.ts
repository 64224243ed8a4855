import { setTimeout as pause } from "node:timers/promises";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import { numberOf } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { letters, marketplaceEnv, openShop, type Shop } from "../shop.ts";

const ACCOUNTS = 10;
/** Between two changes of one account. */
const EVERY_MS = 1_500;
const SKU = "SKU0";

/** One of ten accounts hangs, then refuses who we are: the others do not feel it, and people are told once. */
export const sickNeighbour = defineDrill({
  name: "sick-neighbour",
  promise:
    "1 of 10 accounts hangs, then fails to authenticate: the others' p95 stays within 1.2 times, one alert",
  sabotages: [
    {
      without: "places enough for accounts that hang",
      file: "packages/contracts/src/queues.ts",
      find: `defineQueue("marketplace-sync", {
  lockDurationMs: 6_000,
  stalledIntervalMs: 3_000,
  concurrency: 50,`,
      replace: `defineQueue("marketplace-sync", {
  lockDurationMs: 6_000,
  stalledIntervalMs: 3_000,
  concurrency: 1,`,
    },
  ],
  async run(t) {
    const stack = await t.open({
      apps: { api: 1, "marketplace-sync-worker": 1, "dlq-notifier": 1 },
      env: marketplaceEnv(),
    });
    const shops = t.use(new AsyncDisposableStack());
    const all: Shop[] = [];
    for (let n = 0; n < ACCOUNTS; n++)
      all.push(
        shops.use(
          await openShop(stack, {
            articles: 1,
            quota: { burst: 1_000, perSecond: 1_000 },
            account: { minPushIntervalMs: 0 },
          }),
        ),
      );
    const [sick, ...healthy] = all;
    if (sick === undefined) throw new Error("no account");
    const seconds = t.sized(3, 45);
    let quantity = 0;
    /** Change stock of all accounts for a while, and say how long the healthy ones took. */
    const phase = async (what: string): Promise<number> => {
      t.tell(what);
      const times: number[] = [];
      const begun = performance.now();
      while (performance.now() - begun < seconds * 1_000 && !t.signal.aborted) {
        void sick.set([{ sku: SKU, quantity: ++quantity }]);
        await Promise.all([
          ...healthy.map(async (shop) => {
            await shop.set([{ sku: SKU, quantity: ++quantity }]);
            times.push((await shop.untilTold(20_000)) ?? 20_000);
          }),
          pause(EVERY_MS),
        ]);
      }
      return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)] ?? Number.NaN;
    };
    await phase("warming up");
    const wellMs = await phase("all accounts are well");
    sick.market.setMode("hang");
    const hangingMs = await phase("one hangs");
    sick.market.setMode("auth-failing");
    const failingMs = await phase("it refuses who we are");
    const incidents = () => numberOf(stack.db, sql`incidents WHERE remote_kind = 'marketplace'`);
    await until(async () => (await incidents()) > 0, { deadlineMs: 60_000 }).catch(() => {});

    // A poll's time more; of a few seconds p95 is the slowest of some twenty, and says as little.
    const boundMs = 1.2 * wellMs + t.sized(500, 50);
    t.figure("p95WellMs", wellMs);
    t.figure("p95BesideHangingMs", hangingMs);
    t.figure("p95BesideFailingMs", failingMs);
    t.figure("incidents", await incidents());
    t.must("beside one that hangs the others take 1.2 times as long at most", hangingMs <= boundMs);
    t.must("beside one that fails, too", failingMs <= boundMs);
    t.must("one incident tells of it", (await incidents()) === 1);
    t.must("nothing dies", (await letters(stack)) === 0);
  },
});
