/**
 * `npm run release:version`: turn the files of `.changeset` into versions and changelogs, and keep the schemas that this
 * release promises. It refuses while anything breaks what was promised before.
 */
import { join } from "node:path";
import { root } from "./checkout.ts";
import { checkReleased } from "./released-contracts.ts";
import { type CommandResult, runCommand } from "./run-command.ts";

const steps: ReadonlyArray<() => CommandResult | Promise<CommandResult>> = [
  () => checkReleased(root),
  () => runCommand("changeset", ["version"], root),
  () =>
    runCommand(process.execPath, [join(root, "packages/contracts/scripts/keep-released.ts")], root),
];

if (process.argv.length > 2) {
  console.error(
    `release:version takes no arguments, and was given ${process.argv.slice(2).join(" ")}`,
  );
  process.exit(1);
}
for (const step of steps) {
  const { ok, output } = await step();
  console.log(output.trimEnd());
  if (!ok) {
    process.exitCode = 1;
    break;
  }
}
