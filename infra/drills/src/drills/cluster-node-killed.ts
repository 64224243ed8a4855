import { drill } from "@ballast/contracts";
import { startCluster } from "@ballast/testing";
import { defineDrill } from "../drill.ts";
import { throughFailovers } from "../failovers.ts";

/** Three masters with a replica each; the one that dies is always the one with the queue in use. */
export const clusterNodeKilled = defineDrill({
  name: "cluster-node-killed",
  promise:
    "the cluster's node with the queue is killed 6 times under load: nothing is handed over for at most 8 s (p95), no request refused, none lost",
  onPostgres: { status: "not-applicable", why: "PostgreSQL has one node that writes" },
  sabotages: [
    {
      without: "the search for runs that went silent",
      file: "packages/jobs/src/reconciler.ts",
      find: "const found = await store.silent(silentMs, PAGE + left);",
      replace: "const found: SilentRun[] = [];",
    },
  ],
  async run(t) {
    const redis = t.use(await startCluster({ withReplicas: true }));
    const key = `{bull:${drill.name}}`;
    await throughFailovers(
      t,
      { ...redis, roles: () => redis.rolesFor(key) },
      { times: t.sized(1, 6), gapMs: 8_000 },
    );
  },
});
