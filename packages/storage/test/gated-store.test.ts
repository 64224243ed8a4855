import { expect, test } from "vitest";
import { gatedStore, type ObjectStore } from "../src/index.ts";

const store = {
  put: async () => {},
  get: async () => "a stream",
  stat: async () => ({ sizeBytes: 7 }),
  delete: async () => {},
  [Symbol.asyncDispose]: async () => {},
} as unknown as ObjectStore;

test("every call to a server goes through its gate, with its signal; a folder has none", async () => {
  const { signal } = new AbortController();
  const asked: unknown[] = [];
  const open = (server: string) =>
    function through<T>(call: () => Promise<T>, by?: AbortSignal): Promise<T> {
      asked.push([server, by]);
      return call();
    };
  const gated = gatedStore(store, "s3://documents/a?endpoint=https://s3.example.org:9000", open);

  expect(await gated.stat("k", { signal })).toEqual({ sizeBytes: 7 });
  await gated.get("k", { signal });
  await gated.put("k", new Uint8Array(), { contentType: "text/plain", signal });
  await gated.delete("k");
  const server = "s3.example.org:9000/documents";
  expect(asked).toEqual([...Array(3).fill([server, signal]), [server, undefined]]);

  expect(gatedStore(store, "file:///tmp/documents", open)).toBe(store);
});
