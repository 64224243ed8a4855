const RENDERED = Symbol("rendered");

/** HTML that is safe to print as it stands; only {@link html} and {@link trusted} make it. */
export interface Markup {
  readonly [RENDERED]: string;
}

type Interpolated = string | number | Markup | readonly Interpolated[] | undefined | false;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Control characters have no glyph and no meaning in HTML; C0, DEL, C1 and the bidirectional
 * embeddings and overrides, which could turn an amount's digits around, are dropped.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e]/g;

/** Turn any text into HTML that prints it literally, in element content and in quoted attributes. */
export const escapeHtml = (text: string): string =>
  text
    .toWellFormed()
    .replace(UNPRINTABLE, "")
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");

/**
 * Build HTML; whatever is interpolated is escaped unless it is {@link Markup} itself. Lists are
 * joined, `undefined` and `false` print nothing.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Interpolated[]): Markup {
  let out = strings[0] ?? "";
  values.forEach((value, index) => {
    out += render(value) + (strings[index + 1] ?? "");
  });
  return { [RENDERED]: out };
}

/** Take text for HTML as it stands. For our own constants alone, never for anybody's data. */
export const trusted = (text: string): Markup => ({ [RENDERED]: text });

/** The finished HTML. */
export const htmlText = (markup: Markup): string => markup[RENDERED];

function render(value: Interpolated): string {
  if (value === undefined || value === false) return "";
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  if (isMarkup(value)) return value[RENDERED];
  return value.map(render).join("");
}

const isMarkup = (value: Markup | readonly Interpolated[]): value is Markup => RENDERED in value;

/** Quote any text as a CSS string, safe also inside a `<style>` element. */
export const cssString = (text: string): string =>
  `"${text
    .toWellFormed()
    .replace(UNPRINTABLE, "")
    .replace(/["\\<>&\n\r\f\t]/g, (character) => `\\${character.charCodeAt(0).toString(16)} `)}"`;
