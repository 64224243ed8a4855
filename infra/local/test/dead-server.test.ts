import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { startPostgres } from "../src/postgres.ts";
import { unprivilegedAccount } from "../src/unprivileged.ts";
import { dataFolder } from "./data-folder.ts";

/** A process that has ended and is never collected: its parent became a `sleep`, which does not look. */
async function zombie() {
  const parent = spawn("/bin/sh", ["-c", "sleep 0.2 & echo $!; exec sleep 600"], {
    ...unprivilegedAccount(), // PostgreSQL asks about the pid only if it belongs to its own account
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [pid] = (await once(createInterface(parent.stdout), "line")) as [string];
  const state = () => readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0];
  await expect.poll(state).toBe("Z");
  return { pid, [Symbol.dispose]: () => void parent.kill("SIGKILL") };
}

test("a killed server that nobody has collected yet does not keep the next one from starting", async () => {
  await using data = await dataFolder();
  const options = { dataDir: data.dir, name: "postgres", durable: true };
  let lock: string;
  {
    await using server = await startPostgres(options);
    lock = readFileSync(join(server.clusterDir, "postmaster.pid"), "utf8");
  }
  using dead = await zombie();
  writeFileSync(join(data.dir, "postgres", "postmaster.pid"), lock.replace(/^\d+/, dead.pid));

  await using server = await startPostgres(options);
  expect(server.pid).not.toBe(Number(dead.pid));
});
