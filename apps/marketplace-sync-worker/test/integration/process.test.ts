import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pushStock } from "@ballast/contracts";
import { openRunStore } from "@ballast/database";
import {
  createRequests,
  type Log,
  openEngine,
  prepareEngine,
  startDispatcher,
} from "@ballast/jobs";
import { describeEachEngine, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { emptyStock, keysText, setup } from "../handlers/setup.ts";

const main = join(import.meta.dirname, "../../src/main.ts");
const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

const start = (env: Record<string, string>): ChildProcess =>
  spawn(process.execPath, ["--conditions=@ballast/source", main], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });

describeEachEngine("the process", (engine) => {
  test("brings what changed to a marketplace that throttles, and ends on SIGTERM", async () => {
    await using opening = new AsyncDisposableStack();
    const t = opening.use(
      await setup({ market: { stock: emptyStock(500), quota: { burst: 1, perSecond: 2 } } }),
    );
    const queue = opening.use(await engine.open());
    await prepareEngine(queue.url);
    const opened = opening.use(openEngine(queue.url, { log: quiet, prefix: queue.prefix }));
    const store = openRunStore(t.db);
    const jobs = { attemptEnded() {}, stalled() {}, dispatched() {}, canaryAge() {} };
    const stopping = new AbortController().signal;
    const telemetry = { log: quiet, version: "1", liveness() {}, stopping, onFatal() {}, jobs };
    opening.use(await startDispatcher({ store, engine: opened, telemetry }));
    const worker = start({
      DATABASE_URL: t.databaseUrl,
      QUEUE_URL: queue.url,
      QUEUE_PREFIX: queue.prefix,
      MARKETPLACE_KEYS: keysText,
      MARKETPLACE_ALLOW_PRIVATE: "yes",
    });
    opening.defer(async () => {
      if (worker.exitCode !== null || worker.signalCode !== null) return;
      worker.kill("SIGKILL");
      await once(worker, "exit");
    });

    await t.stock(...t.skus.map((sku, n) => ({ sku, quantity: n + 1 })));
    await t.db.transaction((tx) =>
      createRequests({ store }).ask(
        tx,
        pushStock,
        { accountId: t.account.id },
        { companyId: t.company.id, requestedBy: "test" },
      ),
    );
    await until(() => t.market.stock.get("SKU499") === 500 && t.market.stock.get("SKU0") === 1, {
      deadlineMs: 120_000,
      what: "all stock told",
    });
    worker.kill("SIGTERM");
    expect((await once(worker, "exit"))[0]).toBe(0);
    expect(t.market.counts()).toMatchObject({ early: 0, items: 500 });
    const letters = await t.db.kysely.selectFrom("deadLetters").select("runId").execute();
    expect(letters).toEqual([]);
  }, 240_000);
});

test("bad settings are all named at once, and no key is shown", async () => {
  const worker = start({ MARKETPLACE_KEYS: "2026:hunter2hunter2", MARKETPLACE_CONCURRENCY: "0" });
  const stderr = worker.stderr === null ? "" : text(worker.stderr);
  const [code] = await once(worker, "exit");
  expect(code).toBe(78);
  for (const name of ["DATABASE_URL", "QUEUE_URL", "MARKETPLACE_KEYS", "MARKETPLACE_CONCURRENCY"])
    expect(await stderr).toContain(name);
  expect(await stderr).not.toContain("hunter2");
}, 60_000);
