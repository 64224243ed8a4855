import { createTestDatabase } from "@ballast/testing";
import { expect, test, vi } from "vitest";
import type { NewAlert, Tell } from "../../src/index.ts";
import {
  decideIncident,
  fileGates,
  lockIncident,
  openRemoteStore,
  tellResolved,
} from "../../src/index.ts";

/** A machine may be slow for a minute. */
vi.setConfig({ testTimeout: 90_000 });

type Store = ReturnType<typeof openRemoteStore>;
type Remote = Parameters<Store["read"]>[0];
type Gate = Awaited<ReturnType<Store["read"]>>["gate"];

const MINUTE_MS = 60_000;
const shop: Remote = { kind: "marketplace", key: "shop-1" };
const channel: Remote = { kind: "channel", key: "slack" };

async function setup() {
  const { db, ...database } = await createTestDatabase();
  const store = openRemoteStore(db);
  const told: NewAlert[] = [];
  const tell: Tell = { alert: async (_tx, alert) => void told.push(alert), ticket: async () => {} };
  const file = () =>
    fileGates(db, { tell, closedForMs: 15 * MINUTE_MS, queueOf: (kind) => `queue of ${kind}` });
  const put = (remote: Remote, gate: Partial<Gate>) =>
    store.change(remote, ({ gate: before }) => ({
      state: { gate: { ...before, ...gate } },
      answer: undefined,
    }));
  return {
    db,
    told,
    file,
    /** As a notifier does in each round. */
    async round() {
      await file();
      await tellResolved(db, { limit: 10, tell, untoldQueues: ["queue of channel"] });
      return told.splice(0).map(({ kind }) => kind);
    },
    close: (remote: Remote, code: string, minutes: number) =>
      put(remote, {
        state: "closed",
        code,
        message: `the shop of max@example.org answered ${minutes}`,
        closedAt: new Date(Date.now() - minutes * MINUTE_MS),
        nextProbeAt: new Date(),
      }),
    worsen: (remote: Remote) => put(remote, { code: "auth_failed" }),
    ramp: (remote: Remote, opensInMs: number) =>
      put(remote, { state: "ramping", opensAt: new Date(Date.now() + opensInMs) }),
    open: (remote: Remote) =>
      put(remote, { state: "open", code: null, message: null, closedAt: null, nextProbeAt: null }),
    incidents: () => db.kysely.selectFrom("incidents").selectAll().execute(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test("refused credentials are told at once, and once, however many processes look", async () => {
  await using t = await setup();
  await t.close(shop, "auth_failed", 0);
  await Promise.all([t.file(), t.file(), t.file()]);
  expect(await t.round()).toEqual(["opened"]);
  expect(await t.incidents()).toMatchObject([
    {
      queue: "queue of marketplace",
      code: "auth_failed",
      title: "the shop of <mail> answered <n>",
      remoteKey: "shop-1",
      deathCount: 1n,
    },
  ]);
});

test("a gate is told of once it was closed for too long, and when it is open again", async () => {
  await using t = await setup();
  await t.close(shop, "remote_down", 14);
  expect(await t.round()).toEqual([]);
  await t.close(shop, "remote_down", 16);
  expect(await t.round()).toEqual(["opened"]);
  expect(await t.round()).toEqual([]);
  await t.open(shop);
  expect(await t.round()).toEqual(["resolved"]);
  expect(await t.round()).toEqual([]);
});

test("a gate that is hardly used is told of as open once its time to open has come", async () => {
  await using t = await setup();
  await t.close(shop, "remote_down", 16);
  expect(await t.round()).toEqual(["opened"]);
  await t.ramp(shop, 60_000);
  expect(await t.round()).toEqual([]);
  await t.ramp(shop, -1);
  expect(await t.round()).toEqual(["resolved"]);
});

test("one that was told of as away is told of once more when it refuses our credentials", async () => {
  await using t = await setup();
  await t.close(shop, "remote_down", 16);
  expect(await t.round()).toEqual(["opened"]);
  await t.worsen(shop);
  expect(await t.round()).toEqual(["grown"]);
  expect(await t.round()).toEqual([]);
});

test("what an operator resolved is quiet until its gate closes anew; what is ignored stays quiet", async () => {
  await using t = await setup();
  const decide = (decision: Parameters<typeof decideIncident>[2]) =>
    t.db.transaction(async (tx) => {
      const [{ id } = { id: "" }] = await t.incidents();
      const incident = await lockIncident(tx, id);
      if (incident !== undefined) await decideIncident(tx, incident, decision);
    });
  await t.close(shop, "remote_down", 16);
  await t.round();
  await decide({ state: "resolved" });
  expect(await t.round()).toEqual(["resolved"]);
  await t.open(shop);
  expect(await t.round()).toEqual([]);
  await t.close(shop, "auth_failed", 0);
  expect(await t.round()).toEqual(["reopened"]);
  await decide({ state: "ignored", until: null, above: 100 });
  await t.open(shop);
  await t.round();
  await t.close(shop, "auth_failed", 0);
  expect(await t.round()).toEqual([]);
});

test("the end of a channel's closing is told too: its own queue's deaths alone are not", async () => {
  await using t = await setup();
  await t.close(channel, "channel_down", 20);
  expect(await t.round()).toEqual(["opened"]);
  await t.open(channel);
  expect(await t.round()).toEqual(["resolved"]);
});
