import { spawnSync } from "node:child_process";
import { declaredMetrics } from "@ballast/service";
import { createTestDatabase, describeOnRedis, until } from "@ballast/testing";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { findOnPath } from "../src/engine.ts";
import { startPrometheus } from "./prometheus.ts";
import { openSmallStack } from "./small-stack.ts";

const WORKERS = ["pdf-worker", "email-worker", "marketplace-sync-worker", "dlq-notifier"];
/** What promtool objects to, and why it stays. */
const KNOWN_LINT: Readonly<Record<string, string>> = {
  bullmq_job_count: "the name that BullMQ gives it, and dashboards of others know",
  nodejs_active_handles_total: "a gauge of prom-client's",
  nodejs_active_requests_total: "a gauge of prom-client's",
  nodejs_active_resources_total: "a gauge of prom-client's",
};

describeOnRedis("what every process exports", (engine) => {
  /** Every app once, after its first document and mail. */
  const openFleet = async () => {
    const stack = await openSmallStack(engine);
    const started = WORKERS.map(async (app) => ({ app, ...(await stack.start(app)) }));
    const workers = await Promise.all(started);
    const invoice = await stack.invoice(1);
    await stack.reach(await stack.ask(`/v1/invoices/${invoice.id}/send`), ["completed"]);
    return { stack, workers, processes: [{ app: "api", opsUrl: stack.opsUrl }, ...workers] };
  };
  let opened: ReturnType<typeof openFleet> | undefined;
  const fleet = () => (opened ??= openFleet());
  afterAll(async () => (await opened)?.stack[Symbol.asyncDispose]());

  test.runIf(findOnPath("promtool"))("is what promtool takes, but for what is known", async () => {
    const { processes } = await fleet();
    const objectedTo = new Set<string>();
    for (const { opsUrl } of processes) {
      const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
        input: await (await fetch(`${opsUrl}/metrics`)).text(),
        encoding: "utf8",
      });
      for (const line of `${stdout}${stderr}`.trim().split("\n"))
        objectedTo.add(line.split(" ")[0] ?? "");
      expect(status, "lint, and nothing it cannot read").toBe(3);
    }
    expect([...objectedTo].toSorted()).toEqual(Object.keys(KNOWN_LINT));
  });

  test("comes from the apps that the list of metrics says", async () => {
    const { processes } = await fleet();
    for (const { app, opsUrl } of processes) {
      const text = await (await fetch(`${opsUrl}/metrics`)).text();
      for (const { name, by } of declaredMetrics) {
        const counted = new RegExp(`^${name}(_count)?(\\{.*\\})? [^0]`, "m");
        if (!by.some((exporter) => exporter === app)) expect(text, app).not.toMatch(counted);
      }
    }
  });

  test.runIf(findOnPath("prometheus"))(
    "raises no alert while all is well, two when a worker is killed, none once another is there",
    async () => {
      const { stack, workers, processes } = await fleet();
      await using prometheus = await startPrometheus(stack.dataDir);
      const untilFiring = (...wanted: readonly string[]) =>
        until(async () => (await prometheus.firing()).join() === wanted.join(), {
          what: `these alerts and no others: ${wanted}`,
          deadlineMs: 120_000,
        });

      prometheus.scrape(processes);
      const served = () => prometheus.query("ballast_queue_workers");
      await until(async () => (await served()).length === WORKERS.length, { deadlineMs: 120_000 });
      await untilFiring();
      // Our label `job` is the job's name, not the scrape's.
      expect(await prometheus.query('ballast_attempts_total{queue="pdf"}')).toMatchObject([
        { labels: { app: "pdf-worker", job: "render-invoice", outcome: "completed" }, value: 1 },
      ]);

      const doomed = workers.find(({ app }) => app === "email-worker");
      doomed?.child.kill("SIGKILL");
      await doomed?.ended;
      const invoice = await stack.invoice(1);
      const sent = await stack.ask(`/v1/invoices/${invoice.id}/send`);
      await untilFiring("NobodyConsuming email", "TargetDown email-worker");

      const { opsUrl } = await stack.start("email-worker");
      prometheus.scrape([
        ...processes.filter(({ app }) => app !== "email-worker"),
        { app: "email-worker", opsUrl },
      ]);
      await stack.reach(sent, ["completed"]);
      await untilFiring();
    },
  );

  test.runIf(findOnPath("prometheus"))(
    "tells of a database that is away, and nothing that was true before; all is well once it is back",
    async () => {
      const { stack, processes } = await fleet();
      await using prometheus = await startPrometheus(stack.dataDir);
      const name = new URL(stack.databaseUrl).pathname.slice(1);
      await using elsewhere = await createTestDatabase();
      await using admin = new AsyncDisposableStack();
      const client = admin.adopt(new pg.Client(elsewhere.url), (one) => one.end());
      await client.connect();
      const allow = (allowed: boolean) =>
        client.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS ${allowed}`);
      const isTold = async () =>
        (await prometheus.firing()).some((alert) => alert.startsWith("DatabaseUnreachable "));
      prometheus.scrape(processes.filter(({ app }) => app === "api"));
      const figures = ["outbox_pending", "outbox_bulk_pending", "schedule_overdue_age_seconds"];
      const known = async () => {
        const answers = figures.map((figure) => prometheus.query(`ballast_${figure}`));
        return (await Promise.all(answers)).filter((series) => series.length > 0).length;
      };
      await until(async () => (await known()) === figures.length);

      await allow(false);
      await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1",
        [name],
      );
      await until(isTold);
      await until(async () => (await known()) === 0);

      await allow(true);
      await until(async () => !(await isTold()));
    },
  );
});
