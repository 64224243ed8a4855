/**
 * Preloaded into a child process: replaces texts of source files as they are loaded.
 *
 * Files are told by the end of their path, wherever the checkout lies.
 */
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";
import type { Edit } from "./sabotage.ts";

const edits = JSON.parse(process.env["BALLAST_DRILL_EDITS"] ?? "[]") as Edit[];
const notes = process.env["BALLAST_DRILL_NOTES"];

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const here = edits.filter(({ file }) => url.endsWith(`/${file}`));
    if (here.length === 0) return loaded;
    let source = String(
      loaded.source instanceof Uint8Array ? Buffer.from(loaded.source) : loaded.source,
    );
    for (const { file, find, replace } of here) {
      const parts = source.split(find);
      if (parts.length !== 2)
        throw new Error(
          `sabotage: ${file} holds the text ${parts.length - 1} times, not once: ${find}`,
        );
      source = parts.join(replace);
      if (notes !== undefined) appendFileSync(notes, `${file}\n`);
    }
    return { ...loaded, source };
  },
});
