import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import {
  InvalidObjectKeyError,
  ObjectNotFoundError,
  type ObjectStore,
  StoreUnavailableError,
} from "../src/index.ts";

export interface OpenedStore extends AsyncDisposable {
  readonly store: ObjectStore;
  /** Take away what the store stands on. */
  goDown(): Promise<void>;
}

const pdf = { contentType: "application/pdf" };
const bytes = (text: string) => new TextEncoder().encode(text);
const large = (fill: string) => new Uint8Array(Buffer.alloc(5 * 1024 * 1024, fill));

/** What every object store does; passed by each implementation. */
export function objectStoreSuite(name: string, open: () => Promise<OpenedStore>): void {
  describe(name, () => {
    test("an object is read as it was written", async () => {
      await using t = await open();
      await t.store.put("invoices/a=1/b_2.r1.de-DE.pdf", bytes("%PDF"), pdf);
      expect(await text(t.store, "invoices/a=1/b_2.r1.de-DE.pdf")).toBe("%PDF");
    });

    test("writing again replaces, also with something shorter", async () => {
      await using t = await open();
      await t.store.put("a", bytes("a long one"), pdf);
      await t.store.put("a", bytes("short"), pdf);
      expect(await text(t.store, "a")).toBe("short");
      expect(await t.store.stat("a")).toEqual({ sizeBytes: 5 });
    });

    test("a view of a larger buffer is written without its surroundings", async () => {
      await using t = await open();
      await t.store.put("a", bytes("before-me-after").subarray(7, 9), pdf);
      expect(await text(t.store, "a")).toBe("me");
    });

    test("an empty object exists and is empty", async () => {
      await using t = await open();
      await t.store.put("empty", new Uint8Array(0), pdf);
      expect(await t.store.stat("empty")).toEqual({ sizeBytes: 0 });
      expect(await text(t.store, "empty")).toBe("");
    });

    test("an object of 5 MB comes back byte for byte", async () => {
      await using t = await open();
      const body = new Uint8Array(Buffer.alloc(5 * 1024 * 1024, "0123456789abcdef#"));
      await t.store.put("large", body, pdf);
      expect(await t.store.stat("large")).toEqual({ sizeBytes: body.byteLength });
      expect(Buffer.compare(await buffer(await t.store.get("large")), body)).toBe(0);
    });

    test("a range includes both its ends, and ends with the object", async () => {
      await using t = await open();
      await t.store.put("a", bytes("0123456789"), pdf);
      const range = async (start: number, end: number) =>
        (await buffer(await t.store.get("a", { range: { start, end } }))).toString();

      expect(await range(0, 3)).toBe("0123");
      expect(await range(4, 4)).toBe("4");
      expect(await range(8, 99)).toBe("89");
    });

    test("a range behind the end, or that is none, is a RangeError", async () => {
      await using t = await open();
      await t.store.put("a", bytes("0123456789"), pdf);
      for (const [start, end] of [
        [10, 11],
        [3, 2],
        [-1, 2],
        [0.5, 2],
        [0, Number.NaN],
      ] as const) {
        await expect(t.store.get("a", { range: { start, end } })).rejects.toThrow(RangeError);
      }
    });

    test("an object that is not there is not found, has no stat, and may be deleted", async () => {
      await using t = await open();
      await t.store.put("folder/there", bytes("x"), pdf);

      for (const key of [
        "missing",
        "folder",
        "folder/missing",
        "no/folder",
        "folder/there/below",
      ]) {
        await expect(t.store.get(key)).rejects.toThrow(new ObjectNotFoundError(key));
        expect(await t.store.stat(key)).toBeUndefined();
      }
      await t.store.delete("folder/missing");
      expect(await text(t.store, "folder/there")).toBe("x");
    });

    test("a deleted object is gone, its neighbour stays", async () => {
      await using t = await open();
      await t.store.put("f/a", bytes("a"), pdf);
      await t.store.put("f/b", bytes("b"), pdf);
      await t.store.delete("f/a");
      await t.store.delete("f/a");
      expect(await t.store.stat("f/a")).toBeUndefined();
      expect(await text(t.store, "f/b")).toBe("b");
    });

    test.each([
      ["nothing", ""],
      ["the folder above", "../a"],
      ["a way up and down", "a/../../b"],
      ["a dot", "a/./b"],
      ["an absolute path", "/etc/passwd"],
      ["a folder", "a/"],
      ["an empty segment", "a//b"],
      ["a backslash", "a\\b"],
      ["a space", "a b"],
      ["a zero byte", "a\0b"],
      ["an encoded dot", "%2e%2e/a"],
      ["a tilde", "~incoming/a"],
      ["a letter beyond ASCII", "ä"],
      ["a line break at the end", "a\n"],
      ["a segment of 256 characters", "a".repeat(256)],
      ["901 characters", `${"a/".repeat(450)}a`],
    ])("a key with %s is invalid for every method", async (_, key) => {
      await using t = await open();
      await expect(t.store.put(key, bytes("x"), pdf)).rejects.toThrow(InvalidObjectKeyError);
      await expect(t.store.get(key)).rejects.toThrow(InvalidObjectKeyError);
      await expect(t.store.stat(key)).rejects.toThrow(InvalidObjectKeyError);
      await expect(t.store.delete(key)).rejects.toThrow(InvalidObjectKeyError);
    });

    test("a long segment and names that begin with dots are keys", async () => {
      await using t = await open();
      for (const key of ["a".repeat(190), "...", ".hidden/..a"]) {
        await t.store.put(key, bytes(key), pdf);
        expect(await text(t.store, key)).toBe(key);
      }
    });

    test("readers beside concurrent writers see one writer's object, whole", async () => {
      await using t = await open();
      await t.store.put("shared/object", large("0"), pdf);
      const seen = new Set<string>();

      const writers = ["1", "2", "3", "4", "5", "6"].map((fill) =>
        t.store.put("shared/object", large(fill), pdf),
      );
      const readers = Array.from({ length: 8 }, async () => {
        seen.add(fillOf(await buffer(await t.store.get("shared/object"))));
      });
      await Promise.all([...writers, ...readers]);

      expect(fillOf(await buffer(await t.store.get("shared/object")))).toMatch(/^[1-6]$/);
      for (const fill of seen) expect(fill).toMatch(/^[0-6]$/);
    });

    test("first writers of one new folder do not trip over each other", async () => {
      await using t = await open();
      const keys = Array.from({ length: 10 }, (_, i) => `new/deep/folder/${i}`);
      await Promise.all(keys.map((key) => t.store.put(key, bytes(key), pdf)));
      for (const key of keys) expect(await text(t.store, key)).toBe(key);
    });

    test("an aborted call rejects with the signal's reason and does nothing", async () => {
      await using t = await open();
      await t.store.put("a", bytes("old"), pdf);
      const reason = new Error("told to stop");
      const signal = AbortSignal.abort(reason);

      await expect(t.store.put("a", bytes("new"), { ...pdf, signal })).rejects.toBe(reason);
      await expect(t.store.get("a", { signal })).rejects.toBe(reason);
      await expect(t.store.stat("a", { signal })).rejects.toBe(reason);
      expect(await text(t.store, "a")).toBe("old");
    });

    test("a write that is aborted on its way leaves the old object", async () => {
      await using t = await open();
      await t.store.put("a", bytes("old"), pdf);
      const stop = new AbortController();
      const reason = new Error("told to stop");

      const writing = t.store.put("a", large("n"), { ...pdf, signal: stop.signal });
      stop.abort(reason);

      await expect(writing).rejects.toBe(reason);
      expect(await text(t.store, "a")).toBe("old");
    });

    test("a read that is aborted on its way ends with the signal's reason", async () => {
      await using t = await open();
      await t.store.put("a", large("x"), pdf);
      const stop = new AbortController();
      const reason = new Error("told to stop");

      const stream = await t.store.get("a", { signal: stop.signal });
      await once(stream, "readable");
      stop.abort(reason);

      await expect(buffer(stream)).rejects.toBe(reason);
    });

    test("a reader may leave early", async () => {
      await using t = await open();
      await t.store.put("a", large("x"), pdf);
      const stream = await t.store.get("a");
      await once(stream, "readable");
      stream.destroy();
      await once(stream, "close");
    });

    test("when the store is away, every method says so and none says not found", async () => {
      await using t = await open();
      await t.store.put("folder/a", bytes("x"), pdf);
      await t.goDown();

      for (const key of ["folder/a", "a"]) {
        await expect(t.store.put(key, bytes("x"), pdf)).rejects.toThrow(StoreUnavailableError);
        await expect(t.store.get(key)).rejects.toThrow(StoreUnavailableError);
        await expect(t.store.stat(key)).rejects.toThrow(StoreUnavailableError);
        await expect(t.store.delete(key)).rejects.toThrow(StoreUnavailableError);
      }
    });
  });
}

const text = async (store: ObjectStore, key: string) =>
  (await buffer(await store.get(key))).toString();

/** The one byte an object is full of, or what is wrong with it. */
function fillOf(body: Buffer): string {
  const fill = String.fromCharCode(body[0] ?? 0);
  return Buffer.compare(body, large(fill)) === 0 ? fill : `mixed or cut, ${body.byteLength} bytes`;
}
