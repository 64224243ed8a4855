/**
 * What no line may carry: controls with the line ends among them, line and paragraph separators, and
 * the bidirectional overrides, which could turn an amount's digits around.
 */
const CONTROLS = /[\p{Cc}\u2028\u2029\u202a-\u202e]+/gu;
/** Shorter plain values stand as they are; longer ones are encoded, which folds them too. */
const PLAIN_MAX = 60;
/** An encoded word holds 75 characters at most (RFC 2047), which leaves 45 bytes of text. */
const WORD_BYTES = 45;
const PARAMETER_MAX = 80;

/** Text as one line: well-formed, each run of control characters a space, ends trimmed. */
export const oneLine = (text: string): string => text.toWellFormed().replace(CONTROLS, " ").trim();

/** Text for an unstructured header such as Subject: plain if it can be, else encoded words (RFC 2047). */
export const headerText = (text: string): string => {
  const line = oneLine(text);
  return isPlain(line) ? line : encodedWords(line);
};

/** `"Name" <address>`, the name quoted or encoded. `address` is taken as it is: validate it first. */
export function headerAddress({ name, address }: { name: string; address: string }): string {
  const line = oneLine(name);
  if (line === "") return `<${address}>`;
  const phrase = isPlain(line) ? `"${line.replace(/["\\]/g, "\\$&")}"` : encodedWords(line);
  return `${phrase}\r\n <${address}>`;
}

/**
 * `; name="ascii"; name*=UTF-8''exact` (RFC 2231): old programs read the first, others the second.
 *
 * Cut to 80 characters, so that it fits a line; without "=?", which many programs decode even here.
 */
export function headerParameter(name: string, value: string): string {
  const line = [...oneLine(value).replaceAll("=?", "=_")].slice(0, PARAMETER_MAX).join("");
  const ascii = line.replace(/[^\x20-\x7e]|["\\%]/gu, "_");
  const exact = encodeURIComponent(line).replace(/['()*!]/g, percent);
  const both = ascii === line ? "" : `;\r\n ${name}*=UTF-8''${exact}`;
  return `;\r\n ${name}="${ascii}"${both}`;
}

/** "=?" would be read as the start of an encoded word. */
const isPlain = (line: string): boolean =>
  line.length <= PLAIN_MAX && /^[\x20-\x7e]*$/.test(line) && !line.includes("=?");

const percent = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

/** Words of whole characters, each on its own folded line; readers join them without the spaces between. */
function encodedWords(line: string): string {
  const words: string[] = [];
  let word = "";
  for (const character of line) {
    if (Buffer.byteLength(word + character) > WORD_BYTES) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  words.push(word);
  return words.map((text) => `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`).join("\r\n ");
}
