import type { MarketplaceDoubleOptions } from "@ballast/testing";
import { defineDrill } from "../drill.ts";
import { attemptsBurned, letters, marketplaceEnv, openShop, type Shop } from "../shop.ts";

const BATCH = 10;
/** As the articles all change at once, far more is wanted at any moment than this grants. */
const QUOTA = { burst: 40, perSecond: 5 };

/** As marketplaces refuse: with the wait in seconds, as a date, and by a status that means something else elsewhere. */
const REFUSALS: Readonly<Record<string, Omit<MarketplaceDoubleOptions, "stock">>> = {
  seconds: { retryAfter: "seconds" },
  date: { retryAfter: "date" },
  unprocessable: { throttleStatus: 422 },
};

/** Far more changes than the quota takes: it is used to the full, and no call comes before its time. */
export const throttled = defineDrill({
  name: "throttled",
  promise:
    "a quota of a tenth of the load; Retry-After in both forms, a 422 that means throttled, THROTTLED inside a 200: no call comes early, the quota is used by 90 %, at most 1 % of answers refuse",
  sabotages: [
    {
      without: "the quota that answers tell",
      file: "packages/jobs/src/remote/bucket.ts",
      find: "if (bucket.capacity === null) return { granted: want, bucket };",
      replace: "return { granted: want, bucket };",
    },
  ],
  async run(t) {
    // A full bucket each time it is full again.
    const rounds = t.sized(2, 8);
    const seconds = (rounds * QUOTA.burst) / QUOTA.perSecond;
    const stack = await t.open({
      apps: { api: 1, "marketplace-sync-worker": 1 },
      env: marketplaceEnv(),
    });
    const shops = t.use(new AsyncDisposableStack());
    const articles = BATCH * QUOTA.burst * rounds;
    const limited: Record<string, Shop> = {};
    for (const [name, refusal] of Object.entries(REFUSALS))
      limited[name] = shops.use(
        await openShop(stack, {
          articles,
          maxBatch: BATCH,
          quota: QUOTA,
          seed: t.seed,
          ...refusal,
        }),
      );
    const shopify = shops.use(
      await openShop(stack, {
        kind: "shopify",
        articles: t.sized(2_000, 9_000),
        quota: { burst: 100, perSecond: 20 },
        seed: t.seed,
      }),
    );
    const all = { ...limited, shopify };
    t.tell(`${articles} articles change at once, for ${QUOTA.perSecond} calls a second`);
    let set = 0;
    for (const shop of Object.values(all)) {
      const reply = await shop.set(shop.skus.map((sku) => ({ sku, quantity: ++set })));
      t.must("the changes are taken", reply.status === 200);
    }
    const deadlineMs = seconds * 2_000 + 30_000;
    await Promise.all(Object.values(all).map((shop) => shop.untilTold(deadlineMs)));

    let calls = 0;
    let refused = 0;
    let early = 0;
    for (const [name, shop] of Object.entries(all)) {
      const counts = shop.market.counts();
      calls += counts.calls;
      refused += counts.throttled;
      early += counts.early;
      t.figure(`${name}Refusals`, counts.throttled);
      t.must(`${name}: all is told`, shop.untold() === 0);
      if (name === "shopify") continue; // its quota is in points
      const granted = QUOTA.burst + (QUOTA.perSecond * counts.spanMs) / 1_000;
      const use = (counts.calls - counts.throttled) / granted;
      t.figure(`${name}Use`, Math.round(use * 100) / 100);
      t.must(`${name}: its quota is used by 90 %`, use >= 0.9);
    }
    t.figure("calls", calls);
    t.figure("refusals", refused);
    t.figure("early", early);
    t.must("no call comes before the time asked for", early === 0);
    t.must("at most 1 % of the answers refuse", refused <= calls / 100);
    t.must("no attempt is burned", (await attemptsBurned(stack)) === 0);
    t.must("nothing dies", (await letters(stack)) === 0);
  },
});
