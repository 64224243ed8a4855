import { readFile } from "node:fs/promises";
import { glyphsOf } from "./font-glyphs.ts";
import type { FontSheets } from "./font-sheets.ts";

export type Weight = keyof FontSheets;

/** One file of a family: some characters in one weight. */
export interface FontFace {
  readonly family: string;
  readonly weight: Weight;
  /** The characters it is declared for, as CSS writes them. */
  readonly unicodeRange: string;
  readonly file: URL;
  /** Whether it is declared for a character, which it may yet lack. */
  claims(codePoint: number): boolean;
}

/** A face with its font in memory. */
export interface LoadedFace {
  /** The characters it has glyphs for. */
  readonly glyphs: ReadonlySet<number>;
  /** Its `@font-face` rule with the font inside, so that nothing is left to load. */
  readonly css: string;
}

const BLOCK = /@font-face\s*\{([^}]*)\}/g;
const FILE = /url\(([^)]+\.woff2)\)/;
const RANGE = /unicode-range:\s*([^;]+);/;
const FAMILY = /font-family:\s*'([^']+)'/;

const sheets = new Map<string, Promise<readonly FontFace[]>>();
const fonts = new Map<string, Promise<LoadedFace>>();

/** The faces of one font in one weight; read once per process. */
export function facesOf(font: FontSheets, weight: Weight): Promise<readonly FontFace[]> {
  const sheet = new URL(font[weight]);
  return once(sheets, sheet.href, async () =>
    parseFaces(await readFile(sheet, "utf8"), sheet, weight),
  );
}

/** Read a face's font, once per process: at most a few MB per weight and script in use. */
export function loadFace(face: FontFace): Promise<LoadedFace> {
  return once(fonts, face.file.href, async () => {
    const font = await readFile(face.file);
    const css =
      `@font-face{font-family:"${face.family}";font-weight:${face.weight};font-display:block;` +
      `src:url(data:font/woff2;base64,${font.toString("base64")}) format("woff2");` +
      `unicode-range:${face.unicodeRange}}`;
    return { glyphs: glyphsOf(font), css };
  });
}

/** Read the `@font-face` rules of a sheet. */
function parseFaces(css: string, sheet: URL, weight: Weight): readonly FontFace[] {
  return [...css.matchAll(BLOCK)].map(([block]) => {
    const file = FILE.exec(block)?.[1];
    const unicodeRange = RANGE.exec(block)?.[1]?.trim();
    const family = FAMILY.exec(block)?.[1];
    if (file === undefined || unicodeRange === undefined || family === undefined)
      throw new Error(`${sheet.href}: a @font-face without woff2 file, unicode-range or family`);
    const ranges = unicodeRange.split(",").map(parseRange);
    return {
      family,
      weight,
      unicodeRange,
      file: new URL(file, sheet),
      claims: (codePoint) => ranges.some(([low, high]) => codePoint >= low && codePoint <= high),
    };
  });
}

/** `U+4E00` or `U+0000-00FF` as the lowest and highest code point. */
function parseRange(range: string): readonly [number, number] {
  const [low = "", high = low] = range.trim().slice("U+".length).split("-");
  return [Number.parseInt(low, 16), Number.parseInt(high, 16)];
}

/** Remember a promise under its key; a failed one is forgotten, so that the next caller tries again. */
function once<T>(cache: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  made.catch(() => cache.delete(key));
  return made;
}
