import { pathToFileURL } from "node:url";

/** One protection taken away: a text of one source file is replaced as a child process loads it. */
export interface Sabotage {
  /** The protection that is missing then, for people. */
  readonly without: string;
  /** From the root of the checkout, e.g. `packages/jobs/src/dispatcher.ts`. */
  readonly file: string;
  /** Must occur exactly once, or the drill fails: a sabotage that changes nothing proves nothing. */
  readonly find: string;
  readonly replace: string;
}

/** What a child process needs to be sabotaged, so that nothing shipped has a switch for it. */
export function sabotageEnv(sabotage: Sabotage | undefined): Record<string, string> {
  if (sabotage === undefined) return {};
  const hook = pathToFileURL(`${import.meta.dirname}/hook.ts`).href;
  return {
    NODE_OPTIONS: [process.env["NODE_OPTIONS"], `--import=${hook}`].filter(Boolean).join(" "),
    BALLAST_SABOTAGE: JSON.stringify(sabotage),
  };
}
