/**
 * Write `value` as JSON that `jsonb` takes, whatever strings it holds.
 *
 * PostgreSQL stores neither U+0000 nor half of a surrogate pair; one in an error's message would
 * otherwise fail the statement that records a whole batch. Each becomes U+FFFD.
 */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value) ?? "null";
  if (!json.includes("\\u")) return json;
  return json.replace(/\\(u0000|ud[89a-f][0-9a-f]{2}|.)/g, (sequence, letters: string) =>
    letters.length > 1 ? "\ufffd" : sequence,
  );
}

/** Text that a `text` column takes; see {@link storableJson}. */
export function storableText<T extends string | null>(text: T): T {
  return (text === null ? null : text.toWellFormed().replaceAll("\0", "\ufffd")) as T;
}
