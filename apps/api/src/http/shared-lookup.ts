/**
 * Look things up once for all who ask for the same one within `keptForMs`.
 *
 * An answer is no older than that. Nothing that was not found is kept: what is made now is found now, and whoever
 * makes up keys fills no memory.
 */
export function sharedLookup<T>(
  look: (key: string) => Promise<T | undefined>,
  keptForMs: number,
): (key: string) => Promise<T | undefined> {
  const kept = new Map<string, Promise<T | undefined>>();
  return (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const found = look(key);
    const forget = () => {
      clearTimeout(timer);
      if (kept.get(key) === found) kept.delete(key);
    };
    const timer = setTimeout(forget, keptForMs).unref();
    kept.set(key, found);
    found.then((value) => value ?? forget(), forget);
    return found;
  };
}
