#!/usr/bin/env node
// Runs a file of this checkout from any Node 18 or newer:
//
//   node infra/local/launch.mjs <file.ts> [arguments]
//   node infra/local/launch.mjs --bin <tool of node_modules/.bin> [arguments]
//
// Dependencies are installed first if need be; the file runs under the Node that the lockfile pins,
// with workspace packages resolved to their TypeScript sources. Signals and exit code pass through.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled, findNode, readStamp } from "./install.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const modules = join(root, "node_modules");

const fail = (reason) => {
  console.error(`[launch] ${reason}`);
  process.exit(1);
};

await ensureInstalled(root).catch((error) => fail(error.message));
const node = findNode(root);
if (!node) fail(`no Node 24 for ${process.platform}-${process.arch}: install one and run again`);

const { pnpmBin } = readStamp(root);
const path = [dirname(node), join(modules, ".bin"), process.env.PATH];
if (pnpmBin) path.splice(2, 0, dirname(pnpmBin)); // turbo refuses to run when it cannot find pnpm

const env = {
  ...process.env,
  PATH: path.filter(Boolean).join(delimiter),
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(modules, ".cache", "v8"),
  NODE_OPTIONS: [process.env.NODE_OPTIONS, "--conditions=@ballast/source"]
    .filter(Boolean)
    .join(" "),
  DO_NOT_TRACK: "1",
  PUPPETEER_SKIP_DOWNLOAD: "1",
  TURBO_NO_UPDATE_NOTIFIER: "1",
  TURBO_TELEMETRY_DISABLED: "1",
};

const args = process.argv.slice(2);
const [command, rest] =
  args[0] === "--bin" ? [join(modules, ".bin", args[1] ?? ""), args.slice(2)] : [node, args];

const child = spawn(command, rest, { cwd: root, stdio: "inherit", env });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.once("error", (error) => fail(`${command} did not start: ${error.message}`));
child.once("exit", (code, signal) =>
  process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)),
);
