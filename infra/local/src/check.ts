/**
 * `npm run check`: everything that can be judged without running the product. One line for each check;
 * what a check has to say is shown only if it failed.
 */
import { root } from "./checkout.ts";
import { brokenImports } from "./import-rules.ts";
import { checkPublished } from "./published-packages.ts";
import { checkReleased } from "./released-contracts.ts";
import { type CommandResult, runCommand } from "./run-command.ts";
import { workspaceExports, workspaceFiles } from "./workspace-files.ts";

const command =
  (name: string, ...args: string[]) =>
  () =>
    runCommand(name, args, root);

function checkImports(): CommandResult {
  const exportsOf = workspaceExports(root);
  const broken = workspaceFiles(root).flatMap((file) => brokenImports(file, exportsOf));
  return { ok: broken.length === 0, output: broken.join("\n") };
}

const checks: ReadonlyArray<
  readonly [name: string, run: () => CommandResult | Promise<CommandResult>]
> = [
  ["types", command("tsc", "-b", "infra/local/tsconfig.workspace.json")],
  ["types of tests", command("tsc", "-p", "infra/local/tsconfig.tests.json")],
  ["lint and format", command("biome", "check", "--error-on-warnings", ".")],
  ["import rules", checkImports],
  ["dead exports", command("knip", "--no-progress")],
  ["released contracts", () => checkReleased(root)],
  ["published packages", () => checkPublished(root)],
];

let failed = 0;
for (const [name, run] of checks) {
  const began = performance.now();
  const { ok, output } = await run();
  if (!ok) failed++;
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(`${ok ? "ok    " : "FAILED"}  ${name.padEnd(20)} ${seconds} s`);
  if (!ok) console.log(output.trimEnd().replace(/^/gm, "        "));
}
console.log(failed === 0 ? "all checks passed" : `${failed} of ${checks.length} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;
