/**
 * `npm test`: every test of the workspace, on real servers that this run starts and stops.
 *
 * Arguments go to vitest: `npm test -- packages/jobs -t backoff`. With BALLAST_TEST_ALLOW_SKIPS=0 a
 * skipped test fails the run. The last line is always `N passed, N failed, N skipped`.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { dataDirFrom, root } from "./checkout.ts";
import { endLeftovers } from "./leftovers.ts";
import { missingTools } from "./machine.ts";
import { reasonOf, say } from "./say.ts";
import { openTestServers } from "./test-servers.ts";
import type { Tally } from "./test-tally.ts";
import { runVitest } from "./vitest-run.ts";

const nothing: Tally = { passed: 0, failed: 0, skipped: [] };

async function main(): Promise<number> {
  const dataDir = dataDirFrom(process.env);
  for (const ended of await endLeftovers(dataDir)) say(`ended a leftover: ${ended}`);

  mkdirSync(dataDir, { recursive: true });
  const folder = mkdtempSync(join(dataDir, "test-"));
  const tallyFile = join(folder, "tally.json");
  let exitCode = 1;
  let tally = nothing;
  try {
    await using servers = await openTestServers({ dataDir, folder, env: process.env });
    const env = { ...process.env, ...servers.env, BALLAST_TALLY_FILE: tallyFile };
    exitCode = await runVitest({ root, args: process.argv.slice(2), env });
    tally = readTally(tallyFile);
  } catch (error) {
    say(reasonOf(error));
    tally = { ...nothing, failed: 1 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }

  for (const { name, reason } of tally.skipped) console.log(`skipped: ${name} (${reason})`);
  for (const line of missingTools()) console.log(line);
  const forbidden = process.env["BALLAST_TEST_ALLOW_SKIPS"] === "0" && tally.skipped.length > 0;
  if (forbidden) console.log("skipped tests fail this run: BALLAST_TEST_ALLOW_SKIPS is 0");
  console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped.length} skipped`);
  return exitCode || (tally.failed > 0 || forbidden ? 1 : 0);
}

/** Without a tally vitest died before it could report, and that is no success. */
function readTally(file: string): Tally {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { ...nothing, failed: 1 };
  }
}

process.exitCode = await main();
