/** The fields of a job's payload that never leave in an alert or a ticket; its contract names them. */
export type PrivateFieldsOf = (queue: string, job: string) => readonly string[];

const HIDDEN = "<private>";
/** Shorter texts are part of innocent words. */
const MIN_HIDDEN_LENGTH = 3;

/** A copy of `payload` in which private fields hold nothing, at whatever depth they stand. */
export function withoutPrivate(payload: unknown, fields: readonly string[]): unknown {
  if (Array.isArray(payload)) return payload.map((one) => withoutPrivate(one, fields));
  if (typeof payload !== "object" || payload === null) return payload;
  return Object.fromEntries(
    Object.entries(payload).map(([key, value]) => [
      key,
      fields.includes(key) ? HIDDEN : withoutPrivate(value, fields),
    ]),
  );
}

/** `text` without any value that stands in a private field of `payload`: errors tend to quote them. */
export function hidePrivate<Text extends string | null>(
  text: Text,
  payload: unknown,
  fields: readonly string[],
): Text {
  if (text === null || fields.length === 0) return text;
  // The longest first: a name may be part of an address.
  const values = [...valuesOf(payload, fields, false)].sort((a, b) => b.length - a.length);
  let hidden: string = text;
  for (const value of values) hidden = hidden.replaceAll(value, HIDDEN);
  return hidden as Text;
}

function* valuesOf(value: unknown, fields: readonly string[], inside: boolean): Generator<string> {
  if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value))
      yield* valuesOf(inner, fields, inside || fields.includes(key));
  } else if (inside && (typeof value === "string" || typeof value === "number")) {
    const text = String(value);
    if (text.length >= MIN_HIDDEN_LENGTH) yield text;
  }
}
