import { setTimeout as pause } from "node:timers/promises";
import { openRemoteStore } from "@ballast/database";
import { createTestDatabase, tokenBucket, until } from "@ballast/testing";
import { expect, test } from "vitest";
import {
  DependencyDownError,
  openRemoteGuard,
  type Remote,
  type RemoteGuard,
  type RemoteStore,
  type SharedQuota,
  throughGuard,
} from "../../src/index.ts";

const remote: Remote = { kind: "marketplace", key: "shop-1" };
const signal = new AbortController().signal;
const ok = async () => ({ value: "ok" });
const down = async () => {
  throw new DependencyDownError("remote_down", "the shop answered 503");
};

/** Guards of several processes before one account. */
async function setup(count = 2) {
  const database = await createTestDatabase();
  const store: RemoteStore = openRemoteStore(database.db);
  const guards = Array.from({ length: count }, () => openRemoteGuard({ store, remote }));
  const [first, second] = guards;
  if (first === undefined || second === undefined) throw new Error("two guards at least");
  return {
    store,
    first,
    second,
    guards,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const callDown = (guard: RemoteGuard) =>
  guard.call({ signal }, down).catch((error: unknown) => error);

test("calls of one process that fail close the gate for all, and their jobs are told when to come back", async () => {
  await using t = await setup();
  for (let n = 0; n < 5; n++) await callDown(t.first);
  const refused = await t.second.call({ signal }, ok).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "gate_closed", message: expect.stringContaining("503") });
  const { retryAfterMs } = refused as DependencyDownError;
  expect(retryAfterMs).toBeGreaterThan(0);
  expect(retryAfterMs).toBeLessThanOrEqual(2_200);
});

test("of all that wait one goes through a closed gate, and each success lets more through", async () => {
  await using t = await setup(4);
  await t.first
    .call({ signal }, async () => {
      throw new DependencyDownError("auth_failed", "the shop answered 401");
    })
    .catch(() => {});
  let probes = 0;
  const oneOfAll = async () => {
    let refused = 0;
    const calls = t.guards.map((guard) =>
      guard
        .call({ signal }, async () => {
          probes += 1;
          // Whoever comes later than its answer would go through, and rightly.
          await until(() => refused === t.guards.length - 1);
          return { value: "ok" };
        })
        .catch((error: unknown) => {
          refused += 1;
          throw error;
        }),
    );
    return (await Promise.allSettled(calls)).some(({ status }) => status === "fulfilled");
  };
  await until(oneOfAll, { deadlineMs: 30_000 });
  expect(probes).toBe(1);
  const probe = async () => {
    await pause(200);
    return { value: "ok" };
  };
  const all = () => Promise.allSettled(t.guards.map((guard) => guard.call({ signal }, probe)));
  await until(
    async () => {
      await all();
      return (await t.store.read(remote)).gate.state === "open";
    },
    { deadlineMs: 30_000, intervalMs: 50 },
  );
});

test("what one process was told to wait for, the others wait for too", async () => {
  await using t = await setup();
  await t.first.call({ signal }, async () => ({
    value: "no",
    throttle: { isThrottled: true, retryAfterMs: 60_000, capacity: 10, restorePerSecond: 1 },
  }));
  const refused = await t.second.call({ signal }, ok).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "quota_used_up" });
  const { retryAfterMs = 0 } = refused as DependencyDownError;
  expect(retryAfterMs).toBeGreaterThan(50_000);
  expect(retryAfterMs).toBeLessThanOrEqual(60_000);
});

test("two processes use nine tenths of a quota that they share, and are hardly ever refused", async () => {
  await using t = await setup();
  // A bucket of some seconds, so that a machine that stands still for a moment loses nothing.
  const [capacity, perSecond, seconds] = [200, 40, 5];
  const bucket = tokenBucket(capacity, perSecond);
  let [granted, refused] = [0, 0];
  const over = performance.now() + seconds * 1_000;
  const drain = async (guard: RemoteGuard) => {
    while (performance.now() < over)
      await guard
        .call({ signal }, async () => {
          const answer = bucket();
          if (answer.granted) granted += 1;
          else refused += 1;
          return {
            value: "ok",
            throttle: {
              isThrottled: !answer.granted,
              capacity,
              restorePerSecond: perSecond,
              remaining: answer.remaining,
              ...(answer.granted ? {} : { retryAfterMs: answer.retryAfterMs }),
            },
          };
        })
        .catch((error: unknown) => {
          if (!(error instanceof Error) || !/quota/.test(error.message)) throw error;
        });
  };
  // Several at a time of each, since on a busy machine a call of one takes longer than its token.
  await Promise.all([...t.guards, ...t.guards, ...t.guards, ...t.guards].map(drain));
  expect(granted / (capacity + perSecond * seconds)).toBeGreaterThanOrEqual(0.9);
  expect(refused / (granted + refused)).toBeLessThanOrEqual(0.01);
});

/** A guard that counts what it asks of the store. */
function countingGuard(store: RemoteStore) {
  const asked = { reads: 0, changes: 0 };
  const counting: RemoteStore = {
    read(of) {
      asked.reads += 1;
      return store.read(of);
    },
    change(of, change) {
      asked.changes += 1;
      return store.change(of, change);
    },
  };
  return { asked, guard: openRemoteGuard({ store: counting, remote }) };
}

const window = { isThrottled: false, capacity: 100_000, remaining: 100_000, resetMs: 60_000 };
const callTold = (guard: RemoteGuard, throttle: object = {}) =>
  guard.call({ signal }, async () => ({ value: "ok", throttle: { ...window, ...throttle } }));

test("calls whose answers tell nothing new ask the store for hardly anything, and a refusal reaches it at once", async () => {
  await using t = await setup();
  const { asked, guard } = countingGuard(t.store);
  await callTold(guard);
  const began = performance.now();
  for (let n = 0; n < 300; n++) await callTold(guard);
  // A write a second, and a lease each time that one is used up.
  expect(asked.changes).toBeLessThan(10 + (performance.now() - began) / 200);

  await callTold(guard, { isThrottled: true, retryAfterMs: 60_000 });
  expect(await t.second.call({ signal }, ok).catch((error: unknown) => error)).toMatchObject({
    code: "quota_used_up",
  });
});

test("calls of one moment share a look at the gate, and write once what all of them are told", async () => {
  await using t = await setup();
  const { asked, guard } = countingGuard(t.store);
  const fifty = (ask: () => Promise<unknown>) => Promise.all(Array.from({ length: 50 }, ask));
  await fifty(() => guard.admit(signal));
  expect(asked.reads).toBe(1);

  await callTold(guard);
  asked.changes = 0;
  await fifty(() => callTold(guard, { resetMs: 120_000 }));
  // A lease for all of them, the news, and one more of each on a machine that stood still meanwhile.
  expect(asked.changes).toBeLessThanOrEqual(4);
});

test("an abort ends a wait for quota", async () => {
  await using t = await setup();
  const throttle = { isThrottled: false, capacity: 1, remaining: 0, restorePerSecond: 0.6 };
  await t.first.call({ signal }, async () => ({ value: "ok", throttle }));
  const abort = new AbortController();
  const waiting = t.first.call({ signal: abort.signal }, ok).catch((error: unknown) => error);
  abort.abort();
  expect(await waiting).toMatchObject({ name: "AbortError" });
});

test("calls that meet a probe of their own process wait for its end, and go one after the other if it went well", async () => {
  await using t = await setup();
  await t.first
    .call({ signal }, async () => {
      throw new DependencyDownError("auth_failed", "the shop answered 401");
    })
    .catch(() => {});
  const wait = async () => (await t.store.read(remote)).gate.nextProbeAt?.getTime() ?? 0;
  await until(async () => (await wait()) <= Date.now(), { deadlineMs: 60_000 });
  let [running, most] = [0, 0];
  const slow = async () => {
    most = Math.max(most, ++running);
    await pause(300);
    running--;
    return { value: "ok" };
  };
  const call = () => t.first.call({ signal }, slow).catch((error: unknown) => error);
  const together = [call(), call()];
  await until(() => running === 1, { deadlineMs: 60_000 });
  const results = await Promise.all([...together, call(), call()]);
  expect(results.filter((one) => one === "ok").length).toBeGreaterThanOrEqual(2);
  for (const one of results) if (one !== "ok") expect(one).toMatchObject({ code: "gate_ramping" });
  expect(most).toBe(1);
});

test("whoever only asks whether calls go through is told as a call would be", async () => {
  await using t = await setup();
  await t.first.admit(signal);
  for (let n = 0; n < 5; n++) await callDown(t.first);
  await expect(t.first.admit(signal)).rejects.toMatchObject({ code: "gate_closed" });
});

test("a package that knows nothing of gates closes them by its errors, whose words stay out of it", async () => {
  await using t = await setup();
  const through = throughGuard(t.first);
  const denied = Object.assign(new Error("403 for invoices/company-1/a.pdf"), {
    code: "AccessDenied",
    dependencyDown: true,
    accessDenied: true,
  });
  expect(await through(async () => "stored")).toBe("stored");
  await expect(through(() => Promise.reject(denied))).rejects.toBe(denied);
  const refused = await through(async () => "stored").catch((error: unknown) => error);
  expect(refused).toMatchObject({
    code: "gate_closed",
    message: expect.stringContaining("auth_failed: AccessDenied"),
  });
  expect(String(refused)).not.toContain("company-1");
});

test("accounts of one application share its quota, and its refusal where that is one for all", async () => {
  await using t = await setup();
  const app = (isRefusedTogether: boolean, quota?: SharedQuota["quota"]) => ({
    remote: { kind: "marketplace", key: `app-${isRefusedTogether}` } as const,
    isRefusedTogether,
    ...(quota === undefined ? {} : { quota }),
  });
  const guardOf = (key: string, of: SharedQuota) =>
    openRemoteGuard({ store: t.store, remote: { kind: "marketplace", key }, app: of });
  const codeOf = (guard: RemoteGuard, call: Parameters<RemoteGuard["call"]>[1] = ok) =>
    guard.call({ signal }, call).catch((error: { code: string }) => error.code);

  const daily = app(false, { capacity: 2, restorePerSecond: 0.001 });
  const [one, two] = [guardOf("one", daily), guardOf("two", daily)];
  expect([await codeOf(one), await codeOf(two), await codeOf(one)]).toEqual([
    "ok",
    "ok",
    "quota_used_up",
  ]);

  const together = app(true);
  const [three, four] = [guardOf("three", together), guardOf("four", together)];
  await codeOf(three, async () => ({
    value: "refused",
    throttle: { isThrottled: true, retryAfterMs: 60_000 },
  }));
  expect(await codeOf(four)).toBe("quota_used_up");
});
