import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startOf, withLock } from "../install-lock.mjs";
import { dataFolder } from "./data-folder.ts";
import { heldChild } from "./held-child.ts";

test("two installations of one checkout never overlap", async () => {
  await using data = await dataFolder();
  const file = join(data.dir, "lock");
  let inside = 0;
  let most = 0;
  const turn = () =>
    withLock(file, async () => {
      most = Math.max(most, ++inside);
      await new Promise((next) => setImmediate(next));
      inside--;
    });
  await Promise.all(Array.from({ length: 8 }, turn));
  expect(most).toBe(1);
  expect(existsSync(file)).toBe(false);
});

test("a lock is waited for while its holder lives, and taken once it was killed", async () => {
  await using data = await dataFolder();
  const file = join(data.dir, "lock");
  await using holder = await heldChild("hold-lock.mjs", file);

  const waiting = Promise.withResolvers<number>();
  let taken = false;
  const turn = withLock(
    file,
    async () => {
      taken = true;
    },
    waiting.resolve,
  );
  expect(await waiting.promise).toBe(holder.pid);
  expect(taken).toBe(false);
  await holder.kill();
  await turn;
  expect(taken).toBe(true);
});

test("a lock whose holder's process id now belongs to somebody else is taken", async () => {
  await using data = await dataFolder();
  const file = join(data.dir, "lock");
  writeFileSync(file, JSON.stringify([{ pid: process.pid, start: "1" }]));
  expect(await withLock(file, async () => "taken")).toBe("taken");
});

test("a lock holds while the installer that its killed holder started still runs", async () => {
  await using data = await dataFolder();
  const file = join(data.dir, "lock");
  await using installer = await heldChild("hold-lock.mjs", join(data.dir, "other"));
  const start = startOf(installer.pid);
  writeFileSync(
    file,
    JSON.stringify([
      { pid: 4_194_304, start: "1" },
      { pid: installer.pid, start },
    ]),
  );
  const waiting = Promise.withResolvers<number>();
  const turn = withLock(file, async () => "taken", waiting.resolve);
  await waiting.promise;
  await installer.kill();
  expect(await turn).toBe("taken");
});

test("a failed installation gives its lock back", async () => {
  await using data = await dataFolder();
  const file = join(data.dir, "lock");
  await expect(withLock(file, () => Promise.reject(new Error("no network")))).rejects.toThrow();
  expect(existsSync(file)).toBe(false);
});
