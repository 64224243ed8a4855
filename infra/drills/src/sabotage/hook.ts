/**
 * Preloaded into a child process: replaces a text of one source file as it is loaded.
 *
 * The file's dist counts as well as its source, so the hook goes by the path's end.
 */
import { registerHooks } from "node:module";
import type { Sabotage } from "./sabotage.ts";

const given = process.env["BALLAST_SABOTAGE"];
if (given !== undefined) {
  const { file, find, replace } = JSON.parse(given) as Sabotage;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(`/${file}`)) return loaded;
      const source = String(
        loaded.source instanceof Uint8Array ? Buffer.from(loaded.source) : loaded.source,
      );
      const parts = source.split(find);
      if (parts.length !== 2)
        throw new Error(
          `sabotage: ${file} holds the text ${parts.length - 1} times, not once: ${find}`,
        );
      return { ...loaded, source: parts.join(replace) };
    },
  });
}
