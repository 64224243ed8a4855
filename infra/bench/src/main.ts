/**
 * `npm run bench`: each claim of speed, beside those it is made against.
 *
 *   npm run bench -- --list             what there is
 *   npm run bench -- worker accept      some of them
 *   npm run bench -- --quick --json     all of them in minutes, one line of JSON for each claim
 *   npm run bench -- --write-results    all of them in full size, into RESULTS.md
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openScratch } from "@ballast/local";
import { catalogue } from "./catalogue.ts";
import { readOptions } from "./options.ts";
import { writeResults } from "./results.ts";
import { type BenchReport, runBench } from "./run-bench.ts";
import { openServers } from "./servers.ts";

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), catalogue);
  if (options.list) {
    for (const { name, about } of options.benches) console.log(`${name.padEnd(16)}${about}`);
    return 0;
  }
  using scratch = await openScratch("bench");
  const { dataDir, stopping } = scratch;
  mkdirSync(join(dataDir, "logs"));
  const tell = options.json ? () => {} : (text: string) => console.log(text);
  const reports: BenchReport[] = [];
  await using servers = openServers(dataDir);
  for (const bench of options.benches) {
    if (stopping.aborted) break;
    tell(`\n${bench.name}: ${bench.about}`);
    const around = { quick: options.quick, servers, dataDir, stopping, tell };
    const report = await runBench(bench, around);
    reports.push(report);
    tell(`  ${(report.elapsedMs / 1_000).toFixed(1)} s`);
    if (options.json) for (const line of jsonLines(report)) console.log(line);
  }
  if (options.writeResults && !stopping.aborted) writeResults(reports);
  return reports.every(isGood) && !stopping.aborted ? 0 : 1;
}

const jsonLines = ({ bench, claims, failure }: BenchReport): string[] =>
  (failure === undefined ? claims : [...claims, { bench, ok: false, failure }]).map((line) =>
    JSON.stringify(line),
  );

const isGood = ({ claims, failure }: BenchReport): boolean =>
  failure === undefined && claims.every(({ ok }) => ok);

// What a bench that hung still holds must not keep this process.
process.exit(
  await main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }),
);
