/**
 * `npm run contracts:check`: whether this checkout breaks anybody who uses the last release.
 *
 *   npm run contracts:check                                 its schemas against the released ones
 *   npm run contracts:check -- --against redis://…          and what waits in real queues against its contracts
 */
import { parseArgs } from "node:util";
import { judgeQueues, openEngine } from "@ballast/jobs";
import { root } from "./checkout.ts";
import { checkReleased } from "./released-contracts.ts";
import { reasonOf } from "./say.ts";

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: { against: { type: "string" }, prefix: { type: "string", default: "bull" } },
  });
  const { ok, output } = checkReleased(root);
  console.log(output);
  return values.against === undefined
    ? ok
    : (await checkWaiting(values.against, values.prefix)) && ok;
}

async function checkWaiting(url: string, prefix: string): Promise<boolean> {
  await using engine = openEngine(url, { log, prefix });
  await engine.ping().catch((error: unknown) => {
    throw new Error(`--against: this queue engine does not answer (${reasonOf(error)})`);
  });
  const { ok, lines } = await judgeQueues(engine);
  for (const line of lines) console.log(line);
  return ok;
}

process.exitCode = await main().then(
  (ok) => (ok ? 0 : 1),
  (error: unknown) => {
    console.error(reasonOf(error));
    return 1;
  },
);
