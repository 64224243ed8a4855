import { type FontFace, facesOf, type LoadedFace, loadFace, type Weight } from "./font-faces.ts";
import { FONTS, type FontSheets } from "./font-sheets.ts";

/** The fonts a document needs, and in which order its text asks them for a glyph. */
export interface DocumentFonts {
  /** `@font-face` rules with the fonts inlined as `data:` URLs. */
  readonly css: string;
  /** Value for `font-family`. */
  readonly stack: string;
  /** Characters none of our fonts has; they print in whatever the system has, if anything. */
  readonly uncovered: readonly string[];
}

/** In the order in which text asks them for a glyph; Han fonts follow, in an order of the document's own. */
const SCRIPTS = [FONTS.latin, FONTS.arabic, FONTS.arabicRare, FONTS.hebrew, FONTS.thai];

/** Line breaks and marks that steer layout; no font draws them. */
const NO_GLYPH = /[\s\p{Cc}\p{Cf}\p{Variation_Selector}]/u;

/**
 * Choose and inline the fonts that draw `text`, and `bold` in the bold weight.
 *
 * CJK fonts come in about a hundred slices of 20–60 kB each per weight, so only the slices with
 * characters of this document are taken; Chromium then embeds only the glyphs that are used.
 */
export async function fontsFor({
  text,
  bold,
}: {
  readonly text: string;
  readonly bold: string;
}): Promise<DocumentFonts> {
  const order = [...SCRIPTS, ...hanOrder(text)];
  const regular = await facesFor(text, order, 400);
  const strong = await facesFor(bold, order, 700);
  const faces = [...regular.wanted, ...strong.wanted];
  const families = new Set(faces.map(([{ family }]) => `"${family}"`));
  return {
    css: faces.map(([, { css }]) => css).join("\n"),
    stack: [...families, "sans-serif"].join(", "),
    uncovered: regular.uncovered,
  };
}

/**
 * The same Han character is drawn differently in Japan, Korea and China, and Unicode does not say
 * which is meant. Kana or Hangul beside it does; without either it is taken for Chinese.
 */
function hanOrder(text: string): readonly FontSheets[] {
  const { japanese, korean, chinese } = FONTS;
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return [japanese, chinese, korean];
  if (/\p{Script=Hangul}/u.test(text)) return [korean, chinese, japanese];
  return [chinese, japanese, korean];
}

/** For each character the first face, in `order`, that has a glyph for it. */
async function facesFor(text: string, order: readonly FontSheets[], weight: Weight) {
  const wanted = new Map<FontFace, LoadedFace>();
  let left = [...new Set(text)].filter((character) => !NO_GLYPH.test(character));
  for (const font of order) {
    const faces = left.length === 0 ? [] : await facesOf(font, weight);
    const without: string[] = [];
    for (const character of left) {
      const found = await faceWith(character.codePointAt(0) ?? 0, faces);
      if (found === undefined) without.push(character);
      else wanted.set(found.face, found.loaded);
    }
    left = without;
  }
  return { wanted, uncovered: left };
}

async function faceWith(codePoint: number, faces: readonly FontFace[]) {
  for (const face of faces) {
    if (!face.claims(codePoint)) continue;
    const loaded = await loadFace(face);
    if (loaded.glyphs.has(codePoint)) return { face, loaded };
  }
  return undefined;
}
