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

for (const step of steps) {
  const { ok, output } = await step();
  console.log(output.trimEnd());
  if (!ok) {
    process.exitCode = 1;
    break;
  }
}
