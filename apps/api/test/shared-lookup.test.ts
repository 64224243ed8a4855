import { expect, onTestFinished, test, vi } from "vitest";
import { sharedLookup } from "../src/http/shared-lookup.ts";

const KEPT_MS = 1_000;

/** A look at what `there` says, each of which ends when told to. */
function setup(there: Record<string, string> = {}) {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const looks: Array<PromiseWithResolvers<string | undefined> & { end(): void }> = [];
  const find = sharedLookup((key) => {
    const look = Promise.withResolvers<string | undefined>();
    const seen = there[key];
    looks.push({ ...look, end: () => look.resolve(seen) });
    return look.promise;
  }, KEPT_MS);
  return { there, looks, find };
}

test("all who ask within a second share one look, and nobody is answered with an older one", async () => {
  const { there, looks, find } = setup({ key: "may" });
  const first = Promise.all(Array.from({ length: 9 }, () => find("key")));
  looks[0]?.end();
  expect(new Set(await first)).toEqual(new Set(["may"]));
  vi.advanceTimersByTime(KEPT_MS - 1);
  delete there["key"]; // revoked
  expect(await find("key")).toBe("may");
  vi.advanceTimersByTime(1);
  const later = find("key");
  looks[1]?.end();
  expect(await later).toBeUndefined();
  expect(looks).toHaveLength(2);
});

test("a look that takes long is not shared for longer", async () => {
  const { looks, find } = setup({ key: "may" });
  const first = find("key");
  vi.advanceTimersByTime(KEPT_MS);
  const second = find("key");
  looks[1]?.end();
  expect(await second).toBe("may");
  looks[0]?.end();
  expect(await first).toBe("may");
  expect(await find("key")).toBe("may");
  expect(looks).toHaveLength(2);
});

test("what is made now is found now: neither its absence nor a failure is kept", async () => {
  const { there, looks, find } = setup();
  const absent = find("key");
  looks[0]?.end();
  expect(await absent).toBeUndefined();
  const failed = find("key");
  looks[1]?.reject(new Error("PostgreSQL is away"));
  await expect(failed).rejects.toThrow("away");
  there["key"] = "may";
  const found = find("key");
  looks[2]?.end();
  expect(await found).toBe("may");
  expect(vi.getTimerCount()).toBe(1);
});
