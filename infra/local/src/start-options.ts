import { parseArgs } from "node:util";

export interface StartOptions {
  /** Stop everything after the tour. */
  readonly once: boolean;
  readonly apiPort: number;
}

/** @throws {TypeError} for an option that does not exist or a port that is none */
export function readStartOptions(args: readonly string[], env: NodeJS.ProcessEnv): StartOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { once: { type: "boolean" }, json: { type: "boolean" } },
  });
  const apiPort = Number(env["API_PORT"] || 8080);
  if (!Number.isInteger(apiPort) || apiPort < 1 || apiPort > 65_535) {
    throw new TypeError(`API_PORT must be a port from 1 to 65535, not "${env["API_PORT"]}"`);
  }
  return { once: values.once ?? false, apiPort };
}
