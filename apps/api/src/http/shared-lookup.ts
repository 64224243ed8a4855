/**
 * Look things up once for all who ask for the same one while the look before is under way.
 *
 * Whoever asks gets a look that began after that: an answer is never older than its question, so nothing that was
 * taken back before is found.
 */
export function sharedLookup<T>(look: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const running = new Map<string, Promise<unknown>>();
  const next = new Map<string, Promise<T>>();

  function begin(key: string): Promise<T> {
    const found = look(key);
    const ended = found
      .catch(() => {})
      .then(() => {
        if (running.get(key) === ended) running.delete(key);
      });
    running.set(key, ended);
    return found;
  }

  return (key) => {
    const before = running.get(key);
    if (before === undefined) return begin(key);
    const waiting = next.get(key);
    if (waiting !== undefined) return waiting;
    const after = before.then(() => {
      next.delete(key);
      return begin(key);
    });
    next.set(key, after);
    return after;
  };
}
