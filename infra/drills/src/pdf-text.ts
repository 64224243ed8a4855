import { getDocument } from "pdfjs-dist/legacy/build/pdf.mjs";

/** The text of a PDF without any blanks, in the order it was drawn; `""` for what is no PDF. */
export async function readPdfText(pdf: Uint8Array): Promise<string> {
  if (Buffer.from(pdf.subarray(0, 5)).toString() !== "%PDF-") return "";
  const task = getDocument({ data: Uint8Array.from(pdf), verbosity: 0, useSystemFonts: false });
  const document = await task.promise;
  let text = "";
  for (let number = 1; number <= document.numPages; number++) {
    const { items } = await (await document.getPage(number)).getTextContent();
    for (const item of items) text += "str" in item ? item.str : "";
  }
  await task.destroy();
  return text.normalize("NFKC").replaceAll(/\s+/g, "");
}
