/**
 * `npm run drill`: the bad day, executable.
 *
 *   npm run drill -- --list                       what there is
 *   npm run drill -- engine-down worker-killed    some of them, as long as their promise says
 *   npm run drill -- --short --json               all of them in minutes, one line of JSON each
 *   npm run drill -- --prove                      take each protection away: every drill must fail
 */
import { openScratch } from "@ballast/local";
import { catalogue } from "./catalogue.ts";
import { readOptions } from "./options.ts";
import { prove } from "./prove.ts";
import { openReport } from "./report.ts";
import { writeResults } from "./results.ts";
import { type DrillLine, runDrill } from "./run-drill.ts";
import { startPostgresServer } from "./stack/postgres-server.ts";

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), catalogue);
  if (options.list) {
    for (const { name, promise } of options.drills) console.log(`${name.padEnd(28)}${promise}`);
    return 0;
  }
  const report = openReport(options);
  const lines: DrillLine[] = [];
  using scratch = await openScratch("drill");
  const { stopping } = scratch;
  await using postgres = await startPostgresServer(scratch.dataDir);
  const around = { ...options, ...scratch, postgres, tell: report.tell };
  if (options.prove) await prove(options, around, report);
  else
    for (const drill of options.drills) {
      if (stopping.aborted) break;
      report.begin(drill.name);
      const first = await runDrill(drill, around);
      const isAgain = options.again && first.status === "failed" && !stopping.aborted;
      if (isAgain) report.tell(`failed (${first.why?.join("; ")}), and is run once more`);
      const line = isAgain ? await runDrill(drill, around) : first;
      report.line(line);
      lines.push(line);
    }
  if (options.writeResults) writeResults(lines, options);
  return report.end() && !stopping.aborted ? 0 : 1;
}

const exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});
// All is said and disposed of; a drill that was interrupted, or hung, may still wait for something.
process.exit(exitCode);
