import { startSentinels } from "@ballast/testing";
import { defineDrill } from "../drill.ts";
import { throughFailovers } from "../failovers.ts";

/** A master with two replicas, as `infra/redis/README.md` advises: with one left, it still takes what it is given. */
export const sentinelFailover = defineDrill({
  name: "sentinel-failover",
  promise:
    "10 failovers by sentinels under load: nothing is handed over for at most 6 s (p95), no request refused, none lost",
  onPostgres: { status: "not-applicable", why: "sentinels watch over Redis" },
  sabotages: [
    {
      without: "clients that connect again",
      file: "packages/jobs/src/engine/redis-connections.ts",
      find: "retryStrategy: reconnect(1_000),",
      replace: "retryStrategy: () => null,",
    },
    {
      without: "the search for runs that went silent",
      file: "packages/jobs/src/reconciler.ts",
      find: "const found = await store.silent(silentMs, PAGE + left);",
      replace: "const found: SilentRun[] = [];",
    },
  ],
  async run(t) {
    const redis = t.use(
      await startSentinels({
        replicas: 2,
        downAfterMs: 2_000,
        settings: ["min-replicas-to-write 1", "maxmemory-policy noeviction", "appendonly yes"],
      }),
    );
    await throughFailovers(t, redis, { times: t.sized(1, 10), gapMs: 6_000 });
  },
});
