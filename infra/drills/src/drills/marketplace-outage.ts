import { setTimeout as pause } from "node:timers/promises";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import { numberOf } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { attemptsBurned, letters, marketplaceEnv, openShop } from "../shop.ts";

const BATCH = 10;
const CALLS_A_SECOND = 10;
const CHANGES_A_SECOND = 20;
/** What an outage of an hour is scaled down to; probes keep their own clock. */
const HOUR_SECONDS = 3_600;
const MINUTE_MS = 60_000;
/** Failures in a row that close the gate; those are no probes. */
const CLOSING_CALLS = 5;

/** A marketplace is away while stock keeps changing: it is asked now and then, and told everything once it is back. */
export const marketplaceOutage = defineDrill({
  name: "marketplace-outage",
  promise:
    "a marketplace is down while changes keep coming: no letter, no attempt burned, few probes, caught up within its quota",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "a remote that is down costing no attempt",
      file: "packages/jobs/src/outcome.ts",
      find: `if (error instanceof DependencyDownError)
    return postpone(error, error.retryAfterMs ?? DEPENDENCY_WAIT_MS, at);`,
      replace: "",
    },
  ],
  async run(t) {
    const seconds = t.sized(10, 150);
    const stack = await t.open({
      apps: { api: 1, "marketplace-sync-worker": 1 },
      env: marketplaceEnv(),
    });
    const shop = t.use(
      await openShop(stack, {
        articles: t.sized(200, 2_000),
        maxBatch: BATCH,
        quota: { burst: CALLS_A_SECOND, perSecond: CALLS_A_SECOND },
        seed: t.seed,
      }),
    );
    const { market, skus } = shop;
    await shop.set(skus.slice(0, BATCH).map((sku) => ({ sku, quantity: 1 })));
    await shop.untilTold(20_000);

    const callsBefore = market.counts().calls;
    const begun = performance.now();
    t.tell(
      `the marketplace goes down for ${seconds} s, for an hour: 1 to ${HOUR_SECONDS / seconds}`,
    );
    market.setMode("unavailable");
    let refused = 0;
    let changes = 0;
    let probesInFirstMinute = 0;
    const probesSoFar = () => Math.max(0, market.counts().calls - callsBefore - CLOSING_CALLS);
    while (performance.now() - begun < seconds * 1_000 && !t.signal.aborted) {
      const sku = skus[Math.floor(t.random() * skus.length)] ?? "";
      const reply = await shop.set([{ sku, quantity: ++changes + 1 }]);
      if (reply.status !== 200) refused += 1;
      if (performance.now() - begun <= MINUTE_MS) probesInFirstMinute = probesSoFar();
      await pause(1_000 / CHANGES_A_SECOND);
    }
    const probes = probesSoFar();
    const attemptsWhileAway = await attemptsBurned(stack);
    const backlog = shop.untold();
    t.tell(`it is back; ${backlog} articles wait`);
    market.setMode("up");
    const quotaMs = (backlog / BATCH / CALLS_A_SECOND) * 1_000;
    const boundMs = 1.2 * quotaMs + MINUTE_MS;
    const caughtUpMs = await shop.untilTold(boundMs + 30_000);
    await until(async () => (await numberOf(stack.db, sql`listings WHERE dirty`)) === 0, {
      deadlineMs: 15_000,
    }).catch(() => {});

    const minutes = Math.ceil((seconds * 1_000 - MINUTE_MS) / MINUTE_MS);
    const probeBound = 8 + Math.max(0, minutes);
    const dead = await letters(stack);
    t.figure("scale", `1:${HOUR_SECONDS / seconds}`);
    t.figure("changes", changes);
    t.figure("probesInFirstMinute", probesInFirstMinute);
    t.figure("probes", probes);
    t.figure("backlog", backlog);
    t.figure("caughtUpMs", caughtUpMs ?? -1);
    t.figure("letters", dead);
    t.must("no change is refused", refused === 0);
    t.must("nothing dies", dead === 0);
    t.must("no attempt is burned", attemptsWhileAway === 0 && (await attemptsBurned(stack)) === 0);
    t.must("it is probed 8 times in the first minute at most", probesInFirstMinute <= 8);
    t.must("after that it is probed once a minute at most", probes <= probeBound);
    t.must(
      `all is told within 1.2 times its quota's time and one probe: ${Math.round(boundMs)} ms`,
      caughtUpMs !== undefined && caughtUpMs <= boundMs,
    );
    t.must("both sides hold the same", shop.untold() === 0);
  },
});
