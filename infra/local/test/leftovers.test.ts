import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { endLeftovers, recordProcess } from "../src/leftovers.ts";
import { startPostgres } from "../src/postgres.ts";
import { identityOf, isAlive } from "../src/process-identity.ts";
import { dataFolder } from "./data-folder.ts";
import { heldChild } from "./held-child.ts";

/** A process that nobody of ours started. */
async function bystander() {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  await once(child, "spawn");
  const identity = identityOf(child.pid ?? 0);
  if (!identity) throw new Error("sleep did not stay up");
  return {
    ...identity,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
    },
  };
}

const gone = { pid: 4_194_304, began: "another boot:1" };

function writeRecord(dir: string, record: { pid: number; began: string; what: string }) {
  mkdirSync(join(dir, "processes"), { recursive: true });
  writeFileSync(
    join(dir, "processes", `${record.pid}.json`),
    JSON.stringify({ ...record, owner: gone }),
  );
}

test("what a killed parent left behind is ended by the next start, which finds its data", async () => {
  await using data = await dataFolder();
  await using parent = await heldChild("hold-postgres.ts", data.dir);
  const { pid } = JSON.parse(parent.line);
  const server = identityOf(pid);
  await parent.kill();
  expect(server && isAlive(server)).toBe(true); // it did survive its parent

  expect(await endLeftovers(data.dir)).toEqual([`PostgreSQL (process ${pid})`]);
  expect(server && isAlive(server)).toBe(false);
  expect(readdirSync(join(data.dir, "processes"))).toEqual([]);
  await using again = await startPostgres({ dataDir: data.dir, name: "postgres", durable: true });
  expect(again.pid).not.toBe(pid);
});

test("a server that nobody wrote down is still found by its folder", async () => {
  await using data = await dataFolder();
  await using parent = await heldChild("hold-postgres.ts", data.dir);
  const { pid } = JSON.parse(parent.line);
  const server = identityOf(pid);
  await parent.kill();
  rmSync(join(data.dir, "processes"), { recursive: true });

  await using _again = await startPostgres({ dataDir: data.dir, name: "postgres", durable: true });
  expect(server && isAlive(server)).toBe(false);
});

test("a process id that was handed to somebody else is left alone", async () => {
  await using data = await dataFolder();
  await using stranger = await bystander();
  writeRecord(data.dir, { pid: stranger.pid, began: "another boot:1", what: "PostgreSQL" });

  expect(await endLeftovers(data.dir, true)).toEqual([]);
  expect(isAlive(stranger)).toBe(true);
  expect(readdirSync(join(data.dir, "processes"))).toEqual([]);
});

test("a leftover whose id was not recycled is ended", async () => {
  await using data = await dataFolder();
  await using orphan = await bystander();
  writeRecord(data.dir, { pid: orphan.pid, began: orphan.began, what: "api" });

  expect(await endLeftovers(data.dir)).toEqual([`api (process ${orphan.pid})`]);
  expect(isAlive(orphan)).toBe(false);
});

test("what a living owner started is not a leftover", async () => {
  await using data = await dataFolder();
  await using child = await bystander();
  const forget = recordProcess(data.dir, child.pid, "api");

  expect(await endLeftovers(data.dir)).toEqual([]);
  expect(isAlive(child)).toBe(true);
  forget();
  expect(readdirSync(join(data.dir, "processes"))).toEqual([]);
});

test("another checkout's leftovers are not ours to end", async () => {
  await using ours = await dataFolder();
  await using theirs = await dataFolder();
  await using orphan = await bystander();
  writeRecord(theirs.dir, { pid: orphan.pid, began: orphan.began, what: "api" });

  expect(await endLeftovers(ours.dir, true)).toEqual([]);
  expect(isAlive(orphan)).toBe(true);
});
