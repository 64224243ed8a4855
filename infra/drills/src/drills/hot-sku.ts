import { sql } from "kysely";
import { untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { load } from "../load.ts";
import { attemptsBurned, letters, marketplaceEnv, openShop } from "../shop.ts";

const SKU = "SKU0";
/** In one request, as a till sends them. */
const CHANGES_A_REQUEST = 10;

/** One article changes a thousand times a second: the marketplace hears of it once a second, and of the last value. */
export const hotSku = defineDrill({
  name: "hot-sku",
  promise:
    "1,000 changes a second of one article for 10 s: none refused, one push runs and one waits at most, the last value arrives",
  shortOnPostgres: true,
  sabotages: [
    {
      without: "changes within a window being told by one call",
      file: "packages/database/src/marketplaces/push.ts",
      find: "if (account.dueAt !== null && !account.unfinished)",
      replace: "if (account.dueAt === undefined)",
      also: [
        {
          file: "packages/database/src/marketplaces/push.ts",
          find: "THEN a.last_push_at + a.min_push_interval_ms * interval '1 millisecond' END AS due_at,",
          replace: "THEN NULL::timestamptz END AS due_at,",
        },
        {
          file: "packages/database/src/marketplaces/push.ts",
          find: `greatest(l.ready_at, CASE WHEN \${goesOn} THEN now() ELSE a.window_end END) AS due_at`,
          replace: "now() AS due_at",
        },
      ],
    },
  ],
  async run(t) {
    const stack = await t.open({
      apps: { api: 1, "marketplace-sync-worker": 1 },
      env: marketplaceEnv(),
    });
    const shop = t.use(
      await openShop(stack, {
        articles: 1,
        quota: { burst: 1_000, perSecond: 1_000 },
      }),
    );
    const [seconds, perSecond] = t.sized([4, 300], [10, 1_000]);
    t.tell("one article changes all the time");
    let mostStarted = 0;
    let mostWaiting = 0;
    let isOver = false;
    const watching = (async () => {
      while (!isOver) {
        const { rows } = await sql<{ started: number; waiting: number }>`
          SELECT count(*) FILTER (WHERE state = 'started')::int AS started,
            count(*) FILTER (WHERE state = 'waiting')::int AS waiting
          FROM job_runs WHERE job = 'push-stock'`.execute(stack.db.kysely);
        mostStarted = Math.max(mostStarted, rows[0]?.started ?? 0);
        mostWaiting = Math.max(mostWaiting, rows[0]?.waiting ?? 0);
      }
    })();
    let changes = 0;
    let refused = 0;
    let slowestMs = 0;
    const began = performance.now();
    await load({
      perSecond: perSecond / CHANGES_A_REQUEST,
      seconds,
      signal: t.signal,
      request: async () => {
        const quantities = Array.from({ length: CHANGES_A_REQUEST }, () => ++changes);
        const reply = await shop.set(quantities.map((quantity) => ({ sku: SKU, quantity })));
        if (reply.status !== 200) refused += 1;
        slowestMs = Math.max(slowestMs, reply.ms);
        return reply;
      },
    });
    // Of changes that overtake each other nobody can say which is the last.
    await shop.set([{ sku: SKU, quantity: ++changes }]);
    const told = await shop.untilTold(15_000);
    const tookSeconds = (performance.now() - began) / 1_000;
    await untilAllOver(stack.db, 15_000);
    isOver = true;
    await watching;

    const { writes } = shop.market.counts();
    t.figure("changes", changes);
    t.figure("refused", refused);
    t.figure("slowestMs", Math.round(slowestMs));
    t.figure("calls", writes);
    t.figure("mostStarted", mostStarted);
    t.figure("mostWaiting", mostWaiting);
    t.figure("lastToldAfterMs", told ?? -1);
    t.must("no change is refused", refused === 0);
    t.must("one push runs at a time", mostStarted <= 1);
    t.must("one push waits at most", mostWaiting <= 1);
    t.must("the last value is on the marketplace", told !== undefined);
    // A window of a second each, and the call that began before the first.
    t.must("there is a call a second at most", writes <= tookSeconds + 2);
    t.must("no attempt fails", (await attemptsBurned(stack)) === 0);
    t.must("nothing dies", (await letters(stack)) === 0);
  },
});
