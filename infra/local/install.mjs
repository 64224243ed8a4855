// Installs the locked dependencies when they are missing or stale. A stamp in node_modules holds a
// hash of everything that decides what gets installed; while it matches, no package manager runs.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { withLock } from "./install-lock.mjs";

const platform = `${process.platform}-${process.arch}`;
const say = (text) => console.error(`[launch] ${text}`);

const majorOf = (bin) => {
  const asked = spawnSync(bin, ["-p", "process.versions.node"], { encoding: "utf8" });
  return asked.status === 0 ? Number(asked.stdout.split(".")[0]) : 0;
};

/** The pinned Node if it runs here, else the one that started us if it is new enough, else undefined. */
export function findNode(root) {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const wanted = Number(/\d+/.exec(engines.node)[0]);
  const pinned = join(root, "node_modules", `node-${platform}`, "bin", "node");
  if (existsSync(pinned) && majorOf(pinned) >= wanted) return pinned;
  return Number(process.versions.node.split(".")[0]) >= wanted ? process.execPath : undefined;
}

function fingerprint(root) {
  const hash = createHash("sha256").update(platform);
  for (const file of ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"])
    hash.update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

const stampFile = (root) => join(root, "node_modules", ".launch.json");

/** What the last installation left: `{ fingerprint, pnpmBin }`, or `{}`. */
export function readStamp(root) {
  try {
    return JSON.parse(readFileSync(stampFile(root), "utf8"));
  } catch {
    return {};
  }
}

const isInstalled = (root) => readStamp(root).fingerprint === fingerprint(root) && findNode(root);

/** npm and pnpm keep caches at home; an account without a usable home gets one in the checkout. */
function homeOf(root) {
  try {
    const home = homedir() || userInfo().homedir;
    accessSync(home, constants.W_OK);
    return { HOME: home };
  } catch {
    const home = join(root, ".data", "home");
    mkdirSync(home, { recursive: true });
    // The npm that started us has put its own idea of the cache into the environment.
    return { HOME: home, npm_config_cache: join(home, ".npm") };
  }
}

const npmEnv = (root) => ({
  ...process.env,
  ...homeOf(root),
  CI: "1", // never ask
  PUPPETEER_SKIP_DOWNLOAD: "1",
  npm_config_loglevel: "notice", // the checkout silences npm's banner; errors must show here
  npm_config_prefer_offline: "true", // without a network, npx would wait over a minute before it looks into its cache
  npm_config_update_notifier: "false",
});

/** Run npx with output on stderr: stdout belongs to the program that is launched. */
function npx(root, args, shareWith) {
  const child = spawn("npx", args, { cwd: root, stdio: ["ignore", 2, 2], env: npmEnv(root) });
  if (child.pid) shareWith(child.pid);
  const forward = (signal) => child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(new Error(`npx did not start (${error.message}): install npm`)),
    );
    child.once("exit", (code, signal) => {
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(name, forward);
      if (code === 0) resolve();
      else reject(new Error(`"npx ${args.join(" ")}" ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

async function install(root, shareWith) {
  if (isInstalled(root)) return; // whoever held the lock before us did it
  const began = Date.now();
  const pnpm = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).packageManager;
  say(`installing dependencies with ${pnpm}: first run, or the lockfile changed`);
  await npx(
    root,
    ["--yes", pnpm, "install", "--frozen-lockfile", "--reporter=append-only"],
    shareWith,
  );
  const where = spawnSync("npx", ["--yes", "-p", pnpm, "-c", "command -v pnpm"], {
    cwd: root,
    encoding: "utf8",
    env: npmEnv(root),
  });
  const stamp = { fingerprint: fingerprint(root), pnpmBin: where.stdout.trim() || undefined };
  writeFileSync(stampFile(root), JSON.stringify(stamp));
  say(`dependencies ready in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/** Make sure that what the lockfile names is installed. Safe to call from several processes at once. */
export async function ensureInstalled(root) {
  if (isInstalled(root)) return;
  await withLock(
    join(root, ".launch-lock"),
    (shareWith) => install(root, shareWith),
    (pid) => say(`waiting for another installation (process ${pid})`),
  );
}
