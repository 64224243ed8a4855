import type { ObjectStore } from "./object-store.ts";
import { parseStorageUrl } from "./storage-url.ts";

/** Lets a call through to the store's server, or throws because that is away. */
export type Gateway = <T>(call: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/**
 * Put a store's server behind a gate; a folder needs none. A stream that was opened is read beside it.
 *
 * @param open the way through the gate of a server, which is named `host/bucket`
 */
export function gatedStore(
  store: ObjectStore,
  url: string,
  open: (server: string) => Gateway,
): ObjectStore {
  const location = parseStorageUrl(url);
  if (location.kind === "file") return store;
  const through = open(`${new URL(location.endpoint).host}/${location.bucket}`);
  return {
    put: (key, body, options) => through(() => store.put(key, body, options), options.signal),
    get: (key, options) => through(() => store.get(key, options), options?.signal),
    stat: (key, options) => through(() => store.stat(key, options), options?.signal),
    delete: (key) => through(() => store.delete(key)),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
