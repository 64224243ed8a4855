import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { echo } from "@ballast/contracts";
import { openRemoteStore, openRunStore } from "@ballast/database";
import {
  createRequests,
  handle,
  type Log,
  openEngine,
  PermanentError,
  prepareEngine,
  startDispatcher,
  startWorker,
} from "@ballast/jobs";
import { createTestDatabase, describeEachEngine, startHttpRecorder, until } from "@ballast/testing";
import { expect, test } from "vitest";

const main = join(import.meta.dirname, "../../src/main.ts");
const SECRET = "a secret of some length";

const start = (env: Record<string, string>): ChildProcess =>
  spawn(process.execPath, ["--conditions=@ballast/source", main], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

describeEachEngine("the notifier as a process", (engineUnderTest) => {
  test("one cause with many deaths, some of them unparked: one alert, and a clean engine after triage", async () => {
    await using opening = new AsyncDisposableStack();
    const { db, url } = opening.use(await createTestDatabase());
    const queue = opening.use(await engineUnderTest.open());
    await prepareEngine(queue.url);
    const receiver = opening.use(await startHttpRecorder());
    const store = openRunStore(db);
    const engine = opening.use(openEngine(queue.url, { log: quiet, prefix: queue.prefix }));
    const stopping = new AbortController().signal;
    const jobs = { attemptEnded() {}, stalled() {}, dispatched() {}, canaryAge() {} };
    const life = { version: "1.2.3", liveness() {}, onFatal() {} };
    const telemetry = { log: quiet, stopping, jobs, ...life };

    // Deaths whose worker was killed before it told PostgreSQL; and the notifier was down.
    const worker = await startWorker({
      queue: echo.queue,
      engine,
      store: { ...store, ended: () => new Promise<void>(() => {}) },
      telemetry,
      handlers: [
        handle(echo, async ({ payload }) => {
          throw new PermanentError("echo_gone", `no echo ${payload.id} for max@example.org`);
        }),
      ],
    });
    opening.use(worker);
    const dispatcher = opening.use(await startDispatcher({ store, engine, telemetry }));
    const requests = createRequests({ store });
    for (let n = 0; n < 8; n++)
      await db.transaction((tx) =>
        requests.ask(tx, echo, { id: String(n) }, { companyId: null, requestedBy: "test" }),
      );
    dispatcher.nudge();
    await until(async () => (await engine.state(echo.queue.name)).failed === 8, {
      deadlineMs: 60_000,
    });

    const notifier = start({
      DATABASE_URL: url,
      QUEUE_URL: queue.url,
      QUEUE_PREFIX: queue.prefix,
      ALERT_WEBHOOK_URL: `${receiver.url}/alerts`,
      ALERT_WEBHOOK_SECRET: SECRET,
      API_PUBLIC_URL: "https://ballast.example.org",
    });
    opening.defer(() => void notifier.kill("SIGKILL"));

    const alert = await until(() => receiver.requests[0], { deadlineMs: 60_000 });
    const letters = () =>
      db.kysely.selectFrom("deadLetters").selectAll().orderBy("diedAt").execute();
    await until(async () => (await letters()).length === 8, { deadlineMs: 60_000 });
    expect(alert).toMatchObject({
      path: "/alerts",
      json: {
        type: "incident.opened",
        incident: {
          queue: "drill",
          code: "echo_gone",
          title: "no echo <n> for <mail>",
          url: expect.stringMatching(/^https:\/\/ballast\.example\.org\/v1\/incidents\//),
        },
      },
    });
    expect(alert.body).not.toContain("max@example.org");
    expect(alert.headers["ballast-signature"]).toBe(
      `v1=${createHmac("sha256", SECRET)
        .update(`${alert.headers["ballast-timestamp"]}.${alert.body}`)
        .digest("hex")}`,
    );

    await db.kysely
      .updateTable("deadLetters")
      .set({ state: "discarded", settledAt: new Date(), settledBy: "test" })
      .execute();
    await until(async () => (await letters()).every((one) => one.engineClearedAt !== null), {
      deadlineMs: 60_000,
    });
    expect((await engine.state(echo.queue.name)).failed).toBe(0);
    expect(receiver.requests).toHaveLength(1);

    // A remote refuses our credentials, and lets us in again.
    const remotes = openRemoteStore(db);
    const shop = { kind: "marketplace", key: "shop-1" } as const;
    const closing = { closedAt: new Date(), code: "auth_failed", message: "the shop answered 401" };
    for (const change of [
      { state: "closed", ...closing },
      { state: "open", closedAt: null, code: null, message: null },
    ] as const) {
      const told = receiver.requests.length;
      await remotes.change(shop, ({ gate }) => ({
        state: { gate: { ...gate, ...change } },
        answer: undefined,
      }));
      await until(() => receiver.requests.length > told, { deadlineMs: 60_000 });
    }
    expect(receiver.requests.slice(1)).toMatchObject([
      {
        json: {
          type: "incident.opened",
          headline: "marketplace shop-1 refuses our credentials",
          incident: { queue: "marketplace-sync", code: "auth_failed", severity: "critical" },
        },
      },
      { json: { type: "incident.resolved", headline: "marketplace shop-1 is called again" } },
    ]);

    notifier.kill("SIGTERM");
    const [code] = await once(notifier, "exit");
    expect(code).toBe(0);
  }, 180_000);
});

test("bad settings are all named at once, without their values", async () => {
  const notifier = start({
    ALERT_WEBHOOK_URL: "http://example.org/hunter2",
    ALERT_MAIL_TO: "max@example.org",
    DEAD_LETTER_KEEP_DAYS: "never",
  });
  const stderr = notifier.stderr === null ? "" : text(notifier.stderr);

  const [code] = await once(notifier, "exit");

  expect(code).toBe(78);
  for (const name of ["DATABASE_URL", "QUEUE_URL", "ALERT_WEBHOOK_URL", "DEAD_LETTER_KEEP_DAYS"])
    expect(await stderr).toContain(name);
  expect(await stderr).not.toContain("hunter2");
});
