import { brotliDecompressSync } from "node:zlib";

/**
 * The characters a WOFF2 font really draws. A face's `unicode-range` only says what it is meant
 * for: some slices are declared for characters they hold no glyph of.
 *
 * Reads the `cmap` table, formats 4 and 12, which WOFF2 never transforms.
 *
 * @see W3C WOFF File Format 2.0, §4.1 and §5; OpenType `cmap`
 * @throws {Error} if the bytes are no such font
 */
export function glyphsOf(woff2: Buffer): ReadonlySet<number> {
  return readCmap(findCmap(woff2));
}

const HEADER_BYTES = 48;
const CMAP = 0;
const GLYF = 10;
const LOCA = 11;
const ARBITRARY_TAG = 63;

function findCmap(woff2: Buffer): Buffer {
  if (woff2.toString("latin1", 0, 4) !== "wOF2") throw new Error("not a WOFF2 font");
  const tableCount = woff2.readUInt16BE(12);
  const compressedBytes = woff2.readUInt32BE(20);
  let at = HEADER_BYTES;
  const base128 = (): number => {
    let value = 0;
    for (;;) {
      const byte = woff2.readUInt8(at++);
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
  };

  let offset = 0;
  let cmap: readonly [start: number, end: number] | undefined;
  for (let table = 0; table < tableCount; table += 1) {
    const flags = woff2.readUInt8(at++);
    const tag = flags & 0x3f;
    const version = flags >> 6;
    if (tag === ARBITRARY_TAG) at += 4;
    const plainBytes = base128();
    // For these two tables version 3 means "as it is"; for all others 0 does.
    const transformed = tag === GLYF || tag === LOCA ? version !== 3 : version !== 0;
    const storedBytes = transformed ? base128() : plainBytes;
    if (tag === CMAP) cmap = [offset, offset + storedBytes];
    offset += storedBytes;
  }
  if (cmap === undefined) throw new Error("a font without cmap");
  return brotliDecompressSync(woff2.subarray(at, at + compressedBytes)).subarray(...cmap);
}

function readCmap(cmap: Buffer): ReadonlySet<number> {
  const characters = new Set<number>();
  const subtableCount = cmap.readUInt16BE(2);
  for (let index = 0; index < subtableCount; index += 1) {
    const subtable = cmap.subarray(cmap.readUInt32BE(4 + index * 8 + 4));
    const format = subtable.readUInt16BE(0);
    if (format === 4) readSegments(subtable, characters);
    if (format === 12) readGroups(subtable, characters);
  }
  return characters;
}

/** Format 4: the Basic Multilingual Plane in segments. */
function readSegments(subtable: Buffer, characters: Set<number>): void {
  const segmentBytes = subtable.readUInt16BE(6); // twice the number of segments
  const ends = 14;
  const starts = ends + segmentBytes + 2;
  const deltas = starts + segmentBytes;
  const offsets = deltas + segmentBytes;
  for (let at = 0; at < segmentBytes; at += 2) {
    const start = subtable.readUInt16BE(starts + at);
    const end = subtable.readUInt16BE(ends + at);
    const delta = subtable.readUInt16BE(deltas + at);
    const offset = subtable.readUInt16BE(offsets + at);
    for (let character = start; character <= end && character !== 0xffff; character += 1) {
      const listed =
        offset === 0
          ? character
          : subtable.readUInt16BE(offsets + at + offset + 2 * (character - start));
      if (listed !== 0 && ((listed + delta) & 0xffff) !== 0) characters.add(character);
    }
  }
}

/** Format 12: all of Unicode in groups. */
function readGroups(subtable: Buffer, characters: Set<number>): void {
  const groupCount = subtable.readUInt32BE(12);
  for (let group = 0; group < groupCount; group += 1) {
    const at = 16 + group * 12;
    const start = subtable.readUInt32BE(at);
    const end = subtable.readUInt32BE(at + 4);
    const glyph = subtable.readUInt32BE(at + 8);
    for (let character = start; character <= end; character += 1)
      if (glyph + character - start !== 0) characters.add(character);
  }
}
