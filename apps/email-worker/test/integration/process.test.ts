import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { sendInvoice } from "@ballast/contracts";
import { findJobRequest, listDeliveries, openRunStore } from "@ballast/database";
import {
  createRequests,
  type Log,
  openEngine,
  prepareEngine,
  startDispatcher,
} from "@ballast/jobs";
import { openObjectStore } from "@ballast/storage";
import {
  createTestDatabase,
  msBetween,
  seedIssuedInvoice,
  startSmtpServer,
  until,
} from "@ballast/testing";
import { expect, test } from "vitest";
import { storeDocument } from "../handlers/setup.ts";

const main = join(import.meta.dirname, "../../src/main.ts");

const start = (env: Record<string, string>, log: "ignore" | "pipe" = "ignore"): ChildProcess =>
  spawn(process.execPath, ["--conditions=@ballast/source", main], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", log, "pipe"],
  });

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

/** The worker's surroundings: database and queue, documents, a mail server, a dispatcher, one wish. */
async function setup() {
  await using opening = new AsyncDisposableStack();
  const { db, url } = opening.use(await createTestDatabase());
  await prepareEngine(url);
  const folder = await mkdtemp(join(tmpdir(), "ballast-email-"));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const storageUrl = pathToFileURL(folder).href;
  const documents = opening.use(await openObjectStore(storageUrl));
  const server = opening.use(await startSmtpServer());
  const { invoice } = await seedIssuedInvoice(db);
  await storeDocument(db, documents, invoice);

  const store = openRunStore(db);
  const engine = opening.use(openEngine(url, { log: quiet }));
  const stopping = new AbortController().signal;
  const onFatal = () => {};
  const jobs = { attemptEnded() {}, stalled() {}, dispatched() {}, canaryAge() {} };
  const telemetry = { log: quiet, version: "1.2.3", liveness: onFatal, stopping, onFatal, jobs };
  opening.use(await startDispatcher({ store, engine, telemetry }));
  const { requestId } = await db.transaction((tx) =>
    createRequests({ store }).ask(
      tx,
      sendInvoice,
      { invoiceId: invoice.id, revision: invoice.revision, locale: "de-DE" },
      { companyId: invoice.companyId, requestedBy: "test" },
    ),
  );
  const workers: ChildProcess[] = [];
  opening.defer(async () => {
    for (const worker of workers)
      if (worker.exitCode === null && worker.signalCode === null) {
        worker.kill("SIGKILL");
        await once(worker, "exit");
      }
  });
  const resources = opening.move();
  return {
    db,
    server,
    startWorker(log?: "pipe") {
      const worker = start(
        { DATABASE_URL: url, QUEUE_URL: url, STORAGE_URL: storageUrl, SMTP_URL: server.url },
        log,
      );
      workers.push(worker);
      return worker;
    },
    deliveries: () => listDeliveries(db.kysely, invoice.companyId, invoice.id),
    /** Resolves with the run once it is in `state`. */
    reach: (state: string) =>
      until(
        async () => {
          const found = await findJobRequest(db.kysely, requestId, "all");
          return found?.run.state === state ? found : undefined;
        },
        { deadlineMs: 60_000, what: `run ${state}` },
      ),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

test("the process mails what was asked for and ends on SIGTERM", async () => {
  await using t = await setup();
  const worker = t.startWorker();

  const { run } = await t.reach("completed");
  worker.kill("SIGTERM");
  const [code] = await once(worker, "exit");

  expect(run.result).toMatchObject({ response: "250 2.0.0 Ok: queued" });
  expect(t.server.mails).toHaveLength(1);
  expect(code).toBe(0);
}, 180_000);

test("a worker killed after the server took the mail: the outcome is unknown, and no second copy leaves", async () => {
  await using t = await setup();
  t.server.behave({ kind: "silence", at: "message" });
  const doomed = t.startWorker();
  await t.server.waitForMails(1);

  doomed.kill("SIGKILL");
  await once(doomed, "exit");
  expect(await t.deliveries()).toMatchObject([{ state: "sending", fence: 1 }]);
  t.server.behave({ kind: "accept" });
  // The lease of 90 s ends; nobody but the dead worker could have renewed it.
  await t.db.kysely
    .updateTable("emailDeliveries")
    .set({ leaseUntil: new Date(0) })
    .execute();
  t.startWorker();
  const { run } = await t.reach("dead");

  expect(run.errorCode).toBe("outcome_unknown");
  expect(await t.deliveries()).toMatchObject([{ state: "unknown", errorCode: "lease_expired" }]);
  expect(t.server.mails).toHaveLength(1);
}, 180_000);

test("SIGTERM takes a mail back that the server has not asked for, in about a second", async () => {
  await using t = await setup();
  t.server.behave({ kind: "silence", at: "rcpt" });
  const worker = t.startWorker("pipe");
  const log = worker.stdout === null ? "" : text(worker.stdout);
  await t.server.reached("rcpt");

  worker.kill("SIGTERM");
  const [code] = await once(worker, "exit");

  expect(code).toBe(0);
  expect(msBetween(await log, "told to stop", "service stopped")).toBeLessThan(5_000);
  expect(await t.deliveries()).toMatchObject([{ state: "planned" }]);
  t.server.behave({ kind: "accept" });
  t.startWorker();
  const { run } = await t.reach("completed");
  expect(run.attemptsMade).toBeLessThanOrEqual(1); // the attempt that was taken back is not counted
  expect(t.server.mails).toHaveLength(1);
}, 180_000);

test("SIGTERM waits for a mail that is under way and records what became of it", async () => {
  await using t = await setup();
  t.server.behave({ kind: "silence", at: "message" });
  const worker = t.startWorker();
  await t.server.waitForMails(1);

  worker.kill("SIGTERM");
  t.server.hangUp();
  const [code] = await once(worker, "exit");

  expect(code).toBe(0);
  expect(await t.deliveries()).toMatchObject([{ state: "unknown", errorCode: "outcome_unknown" }]);
}, 180_000);

test("bad settings are all named at once, without their values", async () => {
  const worker = start({ SMTP_URL: "http://user:hunter2@mail.example.org", SMTP_TLS: "maybe" });
  const stderr = worker.stderr === null ? "" : text(worker.stderr);

  const [code] = await once(worker, "exit");

  expect(code).toBe(78);
  for (const name of ["DATABASE_URL", "QUEUE_URL", "STORAGE_URL", "SMTP_URL", "SMTP_TLS"])
    expect(await stderr).toContain(name);
  expect(await stderr).not.toContain("hunter2");
});
