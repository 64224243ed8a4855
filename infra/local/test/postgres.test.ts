import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import pg from "pg";
import { expect, test } from "vitest";
import { startPostgres } from "../src/postgres.ts";
import { dataFolder } from "./data-folder.ts";

/** Run statements one after the other on one connection; returns the rows of the last. */
async function sql(url: string, ...statements: string[]): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    let rows: unknown[] = [];
    for (const statement of statements) rows = (await client.query(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}

test("rows outlive a restart of the server, and commits are on disk", async () => {
  await using data = await dataFolder();
  const options = { dataDir: data.dir, name: "postgres", durable: true };
  {
    await using server = await startPostgres(options);
    await sql(server.url, "create table kept (n int)", "insert into kept values (42)");
  }
  await using server = await startPostgres(options);
  expect(await sql(server.url, "select n from kept")).toEqual([{ n: 42 }]);
  expect(await sql(server.url, "show fsync")).toEqual([{ fsync: "on" }]);
  expect(await sql(server.url, "show synchronous_commit")).toEqual([{ synchronous_commit: "on" }]);
});

test("a fixed port that is held for a moment is waited for", async () => {
  await using data = await dataFolder();
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  const { port } = holder.address() as AddressInfo;
  const starting = startPostgres({ dataDir: data.dir, name: "postgres", durable: false, port });
  // Far longer than three tries take.
  setTimeout(() => holder.close(), 5_000);
  await using server = await starting;
  expect(new URL(server.url).port).toBe(String(port));
});

test("two servers of two data folders run side by side", async () => {
  await using one = await dataFolder();
  await using two = await dataFolder();
  const [first, second] = await Promise.all(
    [one, two].map(({ dir }) => startPostgres({ dataDir: dir, name: "postgres", durable: false })),
  );
  await using _first = first;
  await using _second = second;
  expect(new URL(first?.url ?? "").port).not.toBe(new URL(second?.url ?? "").port);
  for (const server of [first, second]) {
    expect(await sql(server?.url ?? "", "select 1 as one")).toEqual([{ one: 1 }]);
  }
});

test("the server runs as an ordinary account and takes no connection without its password", async () => {
  await using data = await dataFolder();
  await using server = await startPostgres({ dataDir: data.dir, name: "postgres", durable: false });
  const open = new URL(server.url);
  open.password = "guess";
  await expect(sql(open.href, "select 1")).rejects.toThrow(/password authentication failed/);
  const status = readFileSync(`/proc/${server.pid}/status`, "utf8");
  expect(Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])).toBeGreaterThan(0);
});

test("a data folder that only its owner may enter is no obstacle, and the data is found again", async () => {
  await using data = await dataFolder(0o700);
  const options = { dataDir: data.dir, name: "postgres", durable: true };
  const first = await startPostgres(options);
  await first[Symbol.asyncDispose]();
  try {
    await using again = await startPostgres(options);
    expect(again.clusterDir).toBe(first.clusterDir);
    expect(await sql(again.url, "select 1 as one")).toEqual([{ one: 1 }]);
  } finally {
    rmSync(first.clusterDir, { recursive: true }); // as root it lies outside of the data folder
  }
});
