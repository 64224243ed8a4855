/** What a whole answer said. */
export interface AnswerBody {
  /** Parsed JSON; `undefined` if the answer was empty or is no JSON. */
  readonly body: unknown;
  /** The answer's first characters, for people; scrub before showing. */
  readonly excerpt: string;
  readonly sizeBytes: number;
}

const EXCERPT_LENGTH = 2_000;
/** Parsed, JSON takes up to 25 times its size: `[{},{},…]`. */
const KEPT_PARSED_BYTES = 16_384;

/** Read an answer, and take what is secret out of it. */
export function readBody(bytes: Buffer, secrets: readonly string[]): AnswerBody {
  const told = bytes.toString("utf8");
  const text = secrets.reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), told);
  const sizeBytes = bytes.byteLength;
  return sizeBytes <= KEPT_PARSED_BYTES
    ? { body: parsed(text), excerpt: text.slice(0, EXCERPT_LENGTH), sizeBytes }
    : new LargeBody(text === told ? bytes : Buffer.from(text), sizeBytes);
}

/**
 * Keeps its text, and what was parsed of it as long as there is room or somebody looks at it: an answer is held while
 * its guard writes what it told, and fifty that are at it at once must not take the memory of all.
 */
class LargeBody implements AnswerBody {
  readonly sizeBytes: number;
  readonly #text: Buffer;
  #parsed: WeakRef<object> | undefined;

  constructor(text: Buffer, sizeBytes: number) {
    this.#text = text;
    this.sizeBytes = sizeBytes;
  }

  get excerpt(): string {
    return this.#text.toString("utf8", 0, EXCERPT_LENGTH);
  }

  get body(): unknown {
    const known = this.#parsed?.deref();
    if (known !== undefined) return known;
    const body = parsed(this.#text.toString("utf8"));
    if (typeof body === "object" && body !== null) this.#parsed = new WeakRef(body);
    return body;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
