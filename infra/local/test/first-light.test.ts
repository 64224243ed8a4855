import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, realpath, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { root } from "../src/checkout.ts";
import { findOnPath, findRedis } from "../src/engine.ts";
import { identityOf, isAlive } from "../src/process-identity.ts";
import { dataFolder } from "./data-folder.ts";

/** Run `npm start` on a data folder of its own, beside whatever stack may be up. */
function start(dataDir: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(BALLAST_|VITEST|QUEUE_URL|DATABASE_URL|API_PORT)/.test(name),
  );
  return spawn("npm", ["start", "--", ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...Object.fromEntries(inherited), BALLAST_DATA_DIR: dataDir, ...env },
  });
}

/** Processes that the stack of this folder has running. */
const running = (dataDir: string) =>
  readdirSync(join(dataDir, "processes"))
    .map((name) => JSON.parse(readFileSync(join(dataDir, "processes", name), "utf8")))
    .filter(isAlive);

async function tourOnce(dataDir: string, env: Record<string, string>) {
  const stack = start(dataDir, ["--once", "--json"], env);
  const [out, err, [code]] = await Promise.all([
    stack.stdout ? text(stack.stdout) : "",
    stack.stderr ? text(stack.stderr) : "",
    once(stack, "exit"),
  ]);
  return { out, err, code };
}

/** A PATH on which nothing is but what npm itself needs, as on a bare machine. */
async function barePath(dataDir: string): Promise<string> {
  const bin = join(dataDir, "bin");
  await mkdir(bin);
  for (const name of ["node", "npm", "npx", "sh"]) {
    const found = findOnPath(name);
    if (found) await symlink(await realpath(found), join(bin, name));
  }
  return bin;
}

test.for(["redis", "postgres"])(
  "on %s one command takes an invoice to an inbox, tells it in one JSON line and leaves nothing",
  async (engine, { skip }) => {
    if (engine === "redis" && !findRedis())
      skip("no redis-server here: apt-get install redis-server");
    await using data = await dataFolder();
    const env = engine === "postgres" ? { PATH: await barePath(data.dir) } : {};
    const { out, err, code } = await tourOnce(data.dir, env);
    expect(code, err).toBe(0);
    expect(out.trimEnd().split("\n")).toHaveLength(1);
    const told = JSON.parse(out);
    expect(told).toMatchObject({
      ok: true,
      engine,
      mail: { to: "invoices@mueller.example", attachments: [expect.stringMatching(/\.pdf$/)] },
      stock: { articles: 100, calls: 10 },
      reminder: { to: "invoices@mueller.example", subject: expect.stringMatching(/R-\d{6}/) },
    });
    expect(told.pdf.pages).toBeGreaterThanOrEqual(40);
    expect(readFileSync(told.pdf.path).byteLength).toBe(told.pdf.bytes);
    expect(running(data.dir)).toEqual([]);
  },
);

/** Read what the stack says until it is up; returns all of it. */
async function untilUp(stack: ChildProcess): Promise<string> {
  if (!stack.stderr) throw new Error("the stack has no stderr");
  let said = "";
  for await (const line of createInterface(stack.stderr)) {
    said += `${line}\n`;
    if (line.includes("everything is up")) break;
  }
  stack.stderr.resume();
  expect(said).toContain("everything is up");
  return said;
}

const invoiceNumber = (said: string) => Number(/R-(\d{6})\.pdf/.exec(said)?.[1]);
/** Each tour issues two: one that is mailed, one that is reminded of. */
const PER_TOUR = 2;

test("after a SIGKILL of the parent the next start ends what was left and finds its invoices; SIGTERM leaves nothing", async () => {
  await using data = await dataFolder();
  const first = start(data.dir, []);
  const said = await untilUp(first);
  const left = running(data.dir);
  process.kill(left.find(({ what }) => what === "stack").pid, "SIGKILL");
  await once(first, "exit");
  expect(running(data.dir).length).toBeGreaterThanOrEqual(4); // PostgreSQL and three services

  const second = start(data.dir, []);
  const saidAgain = await untilUp(second);
  expect(saidAgain).toContain("ended a leftover: PostgreSQL");
  for (const { pid, began } of left) expect(identityOf(pid)?.began).not.toBe(began);
  expect(invoiceNumber(saidAgain)).toBe(invoiceNumber(said) + PER_TOUR); // the series went on

  const before = running(data.dir);
  second.kill("SIGTERM");
  const [code] = await once(second, "exit");
  expect(code).toBe(0);
  expect(before.filter(isAlive)).toEqual([]);
  expect(readdirSync(join(data.dir, "processes"))).toEqual([]);
});
