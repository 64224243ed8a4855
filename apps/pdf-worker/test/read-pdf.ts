import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs";

export interface ReadPdf {
  /** The text of each page, in the order it was drawn. */
  readonly pages: readonly string[];
  readonly text: string;
  readonly title: unknown;
  readonly language: unknown;
  readonly tagged: boolean;
}

/** Read a PDF back with a reader that is not the printer. */
export async function readPdf(pdf: Uint8Array): Promise<ReadPdf> {
  const task = getDocument({ data: Uint8Array.from(pdf), verbosity: 0, useSystemFonts: false });
  const document = await task.promise;
  try {
    const pages: string[] = [];
    for (let number = 1; number <= document.numPages; number += 1) {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      const drawn = items.map((item) =>
        "str" in item ? item.str + (item.hasEOL ? "\n" : "") : "",
      );
      // Compatibility forms (Arabic letters by position, narrow blanks) are how fonts see it.
      pages.push(drawn.join("").normalize("NFKC"));
    }
    const { info } = await document.getMetadata();
    const marks: unknown = await document.getMarkInfo(); // a Map, whatever its types say
    const facts: Record<string, unknown> = { ...info };
    return {
      pages,
      text: pages.join("\n"),
      title: facts["Title"],
      language: facts["Language"],
      tagged: marks instanceof Map && marks.get("Marked") === true,
    };
  } finally {
    await task.destroy();
  }
}
