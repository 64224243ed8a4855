const kept = new Set<AsyncDisposable>();

/** Hold something for later tests of the same file; it is disposed of once the file has ended. */
export function keepForThisFile<T extends AsyncDisposable>(thing: T): T {
  kept.add(thing);
  return thing;
}

export async function disposeKept(): Promise<void> {
  const things = [...kept];
  kept.clear();
  await Promise.all(things.map((thing) => thing[Symbol.asyncDispose]()));
}
