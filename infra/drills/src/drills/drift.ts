import { untilAllOver } from "../count.ts";
import { type DrillContext, defineDrill } from "../drill.ts";
import { letters, marketplaceEnv, openShop, type Shop } from "../shop.ts";
import type { Stack } from "../stack/stack.ts";

const SHARE = 0.05;
const FIGHTERS = 3;
const MAX_CORRECTIONS = 2;

interface Report {
  readonly drifted: number;
  readonly corrected: number;
  readonly givenUp: number;
}

/** The marketplace changes stock by itself, and some of it again and again: that is mended, and the loop ends. */
export const drift = defineDrill({
  name: "drift",
  promise:
    "the marketplace changes 5 % by itself and fights back on 3 articles: drift is found and corrected, the loop ends and is reported",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "the end of corrections that do not last",
      file: "packages/database/src/marketplaces/drift.ts",
      find: 'if (corrections >= maxCorrections) return "give_up";',
      replace: "",
    },
  ],
  async run(t) {
    const stack = await t.open({
      apps: { api: 1, "marketplace-sync-worker": 1 },
      env: marketplaceEnv(),
    });
    const shop = t.use(
      await openShop(stack, {
        articles: t.sized(200, 2_000),
        quota: { burst: 1_000, perSecond: 1_000 },
        seed: t.seed,
        account: { maxCorrections: MAX_CORRECTIONS, minPushIntervalMs: 0 },
      }),
    );
    const { market, skus } = shop;
    await shop.set(skus.map((sku, n) => ({ sku, quantity: n + 1 })));
    await shop.untilTold(30_000);
    await untilAllOver(stack.db, 15_000);

    t.tell("the marketplace changes stock by itself");
    const drifted = market.drift(SHARE);
    market.fightBack(drifted.slice(0, FIGHTERS));
    const reports: Report[] = [];
    for (let round = 0; round <= MAX_CORRECTIONS; round++)
      reports.push(await reconcile(t, stack, shop));
    const writesBefore = market.counts().items;
    const last = await reconcile(t, stack, shop);
    const [first] = reports;
    const after = reports.at(-1);

    t.figure("articles", skus.length);
    t.figure("changedByThem", drifted.length);
    t.figure("found", first?.drifted ?? -1);
    t.figure("corrected", first?.corrected ?? -1);
    t.figure("givenUp", after?.givenUp ?? -1);
    t.figure("toldAfterGivingUp", market.counts().items - writesBefore);
    t.must("all that drifted is found", first?.drifted === drifted.length);
    t.must("all of it is corrected at first", first?.corrected === drifted.length);
    t.must("all but those that fight back hold ours again", shop.untold() === FIGHTERS);
    t.must(
      `those are given up after ${MAX_CORRECTIONS} corrections, and reported`,
      after?.givenUp === FIGHTERS && after.corrected === 0 && last.givenUp === FIGHTERS,
    );
    t.must("they are told nothing more", market.counts().items === writesBefore);
    t.must("nothing dies", (await letters(stack)) === 0);
  },
});

/** Compare once, let what follows from it end, and read the report. */
async function reconcile(t: DrillContext, stack: Stack, shop: Shop): Promise<Report> {
  const { status } = await stack.api.post(`${shop.path}/reconcile`, { reason: "a drill" });
  t.must("a comparison can be asked for", status === 202);
  await untilAllOver(stack.db, 30_000);
  const { body } = await stack.api.get(`${shop.path}/drift?limit=1`);
  return body?.reports?.[0] ?? { drifted: -1, corrected: -1, givenUp: -1 };
}
