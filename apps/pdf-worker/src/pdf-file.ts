/**
 * Read the page count from the page tree of a PDF as Chromium writes it: classic cross-reference
 * table, page tree outside of object streams. Follows trailer → catalog → page tree, since the
 * words it looks for may also stand in compressed data.
 *
 * @throws {Error} if the bytes are no such PDF, e.g. cut short
 */
export function countPages(pdf: Uint8Array): number {
  const bytes = asBuffer(pdf);
  const tail = bytes.subarray(Math.max(0, bytes.length - 1024)).toString("latin1");
  const xref = Number(/startxref\s+(\d+)\s+%%EOF\s*$/.exec(tail)?.[1] ?? Number.NaN);
  const root = /\/Root (\d+) 0 R/.exec(tail)?.[1];
  if (!Number.isInteger(xref) || root === undefined) throw new Error("not a complete PDF");

  const catalog = objectText(bytes, xref, Number(root));
  const pages = /\/Pages (\d+) 0 R/.exec(catalog)?.[1];
  const tree = pages === undefined ? "" : objectText(bytes, xref, Number(pages));
  const pageCount = Number(/\/Count (\d+)/.exec(tree)?.[1] ?? 0);
  if (pageCount < 1) throw new Error("a PDF without pages");
  return pageCount;
}

/** The text of one object, found by its place in the table that starts at `xref`. */
function objectText(bytes: Buffer, xref: number, id: number): string {
  const head = /^xref\s+0 (\d+)\s+/.exec(bytes.subarray(xref, xref + 64).toString("latin1"));
  if (head === null || id >= Number(head[1]))
    throw new Error(`PDF object ${id} is not in its table`);
  const entry = xref + head[0].length + id * 20; // each entry is 20 bytes, ISO 32000-2 §7.5.4
  const offset = Number(bytes.subarray(entry, entry + 10).toString("latin1"));
  const end = bytes.indexOf("endobj", offset);
  return bytes.subarray(offset, end === -1 ? undefined : end).toString("latin1");
}

/** Where Chromium writes its dates: in the first object. */
const HEAD_BYTES = 1_024;

/** Overwrite the two dates of a PDF from Chromium, so that equal documents are equal bytes. */
export function setDates(pdf: Uint8Array, date: Date): void {
  const head = asBuffer(pdf).subarray(0, HEAD_BYTES);
  const digits = date.toISOString().replaceAll(/\D/g, "").slice(0, "YYYYMMDDhhmmss".length);
  for (const { index } of head.toString("latin1").matchAll(/(?<=Date \(D:)\d{14}(?=\+00'00'\))/g))
    head.write(digits, index, "latin1");
}

/** An id of the structure tree, after its key or in a list; zero-padded, so that text sorts as numbers do. */
const NODE_ID = /(?<=(?:\/ID |\[|R |\) )\(node)\d{8}(?=\))/g;

/**
 * Count the ids of a tagged PDF from Chromium from 1, in their own order, since Chromium counts on
 * from one document to the next. The file's table holds places, so each id keeps its length.
 */
export function renumberNodes(pdf: Uint8Array): void {
  const bytes = asBuffer(pdf);
  const found = [...bytes.toString("latin1").matchAll(NODE_ID)];
  const ids = [...new Set(found.map(([id]) => id))].sort();
  const renumbered = new Map(ids.map((id, index) => [id, String(index + 1).padStart(8, "0")]));
  for (const { 0: id, index } of found) bytes.write(renumbered.get(id) ?? id, index, "latin1");
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
