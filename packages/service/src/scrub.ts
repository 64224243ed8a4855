/** Words that make a key or a query parameter secret, and those that announce credentials in text. */
const SECRET_WORDS =
  "passw(?:or)?d|passphrase|secret|token|authorization|api[-_]?key|access[-_]?key|cookie|credential|signature";
/** Around a word, a key goes on for at most 64 characters a side: without a bound the search is quadratic. */
const KEY_PART = "[\\w.-]{0,64}";
const ANY_SECRET = new RegExp(`${SECRET_WORDS}|bearer|basic `, "i");

const SECRET_KEY = new RegExp(`"${KEY_PART}(?:${SECRET_WORDS})${KEY_PART}":`, "gi");
/** The same in JSON that was logged as a string, so its quotes are escaped. */
const QUOTED_SECRET = new RegExp(
  `(\\\\"${KEY_PART}(?:${SECRET_WORDS})${KEY_PART}\\\\":\\s*\\\\")(?:[^"\\\\]|\\\\\\\\(?:\\\\.|[^\\\\"]))*`,
  "gi",
);
const SECRET_PARAMETER = new RegExp(
  `([?&;]${KEY_PART}(?:${SECRET_WORDS})${KEY_PART}=)[^&;\\s"\\\\]+`,
  "gi",
);
const AUTH_SCHEME = /\b(bearer|basic) +[\w.~+/=-]+/gi;

/** `user:password@` of a URL. */
const URL_CREDENTIALS = /(:\/\/)[^\s"\\/?#]*@/g;

/**
 * A JSON escape, or a mail address. An escape is matched to be stepped over: the `n` of `\n` is no part of
 * the address that follows, and taking it away would break the line's JSON.
 *
 * The local part is at most 64 characters (RFC 5321), which also keeps the search linear. The domain ends in
 * letters, or `name@10.4.0` of a stack trace's path would count.
 */
const ESCAPE_OR_ADDRESS =
  /\\"[^"\\]{1,64}\\"(?:@|%40)[\p{L}\p{N}.-]+|\\(?:u[0-9a-f]{4}|.)|[^\s"\\<>()[\]{},;:?&@/|%]{1,64}(?:@|%40)(?:(?:[\p{L}\p{N}-]{1,63}\.)+(?:xn--[a-z0-9-]+|\p{L}{2,})|localhost\b|\[[\d.:a-f]+\])/giu;

const HIDDEN = "[redacted]";
const HIDDEN_MAIL = "[mail]";

/**
 * Take secrets and mail addresses out of one line of JSON; the result is valid JSON of the same shape.
 *
 * Works on the finished line, so nothing passes beside it: message, bindings, error, stack, at any depth.
 */
export function scrubLine(line: string): string {
  let scrubbed = line;
  if (ANY_SECRET.test(scrubbed)) {
    scrubbed = hideSecretValues(scrubbed)
      .replace(QUOTED_SECRET, `$1${HIDDEN}`)
      .replace(SECRET_PARAMETER, `$1${HIDDEN}`)
      .replace(AUTH_SCHEME, `$1 ${HIDDEN}`);
  }
  return scrubAddresses(scrubbed);
}

/**
 * Take secrets and mail addresses out of what JSON can say, at any depth. A value before it is printed, since a text
 * that holds JSON hides only strings, and those in one line.
 */
export const scrubJson = <T>(value: T): T => JSON.parse(scrubLine(JSON.stringify(value)));

/** Take secrets and mail addresses out of a text. */
export const scrubText = (text: string): string => scrubJson(text);

function scrubAddresses(line: string): string {
  if (!line.includes("@") && !line.includes("%40")) return line;
  return line
    .replace(URL_CREDENTIALS, `$1${HIDDEN}@`)
    .replace(ESCAPE_OR_ADDRESS, (found) => (isEscape(found) ? found : HIDDEN_MAIL));
}

const isEscape = (found: string) => found.startsWith("\\") && !/@|%40/.test(found);

function hideSecretValues(line: string): string {
  let scrubbed = "";
  let done = 0;
  for (const { index, 0: key } of line.matchAll(SECRET_KEY)) {
    if (index < done) continue; // inside a value that is hidden already
    const start = index + key.length;
    scrubbed += `${line.slice(done, start)}"${HIDDEN}"`;
    done = endOfValue(line, start);
  }
  return scrubbed + line.slice(done);
}

/** Index behind the JSON value that begins at `start`. */
function endOfValue(line: string, start: number): number {
  let depth = 0;
  for (let at = start; at < line.length; at += 1) {
    const char = line[at];
    if (char === '"') at = endOfString(line, at);
    else if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]" || char === ",") {
      if (depth === 0) return at;
      if (char !== ",") depth -= 1;
    }
  }
  return line.length;
}

/** Index of the quote that closes the string opened at `start`. */
function endOfString(line: string, start: number): number {
  for (let at = start + 1; at < line.length; at += 1) {
    if (line[at] === "\\") at += 1;
    else if (line[at] === '"') return at;
  }
  return line.length;
}
