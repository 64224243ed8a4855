import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** A text of one source file, replaced as a child process loads it. */
export interface Edit {
  /** From the root of the checkout, e.g. `packages/jobs/src/dispatcher.ts`. */
  readonly file: string;
  /** Must occur exactly once, or the process does not start: an edit that changes nothing shows nothing. */
  readonly find: string;
  readonly replace: string;
}

/** One protection taken away. */
export interface Sabotage extends Edit {
  /** The protection that is missing then, for people. */
  readonly without: string;
  /** Where it stands in more than one place. */
  readonly also?: readonly Edit[];
}

export const editsOf = (sabotage: Sabotage | undefined): readonly Edit[] =>
  sabotage === undefined ? [] : [sabotage, ...(sabotage.also ?? [])];

const EDITOR = `${import.meta.dirname}/hook.ts`;

/**
 * What a child process needs to be edited, so that nothing shipped has a switch for it.
 *
 * @param notes where it notes the files that it loaded edited
 * @param preload further modules that it loads before its own code
 */
export function editedEnv(
  edits: readonly Edit[],
  notes: string,
  preload: readonly string[] = [],
): Record<string, string> {
  const modules = [...(edits.length > 0 ? [EDITOR] : []), ...preload];
  if (modules.length === 0) return {};
  const imports = modules.map((path) => `--import=${pathToFileURL(path).href}`);
  return {
    NODE_OPTIONS: [process.env["NODE_OPTIONS"], ...imports].filter(Boolean).join(" "),
    ...(edits.length > 0 && {
      BALLAST_DRILL_EDITS: JSON.stringify(edits),
      BALLAST_DRILL_NOTES: notes,
    }),
  };
}

/** The files that no process loaded edited: what is protected there was never away. */
export function untouchedFiles(edits: readonly Edit[], notes: string): string[] {
  const loaded = existsSync(notes) ? readFileSync(notes, "utf8").split("\n") : [];
  return [...new Set(edits.map(({ file }) => file))].filter((file) => !loaded.includes(file));
}
