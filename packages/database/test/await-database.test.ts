import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { createTestDatabase, openEmptyDatabase, until } from "@ballast/testing";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { awaitDatabase, DatabaseRefusedError, migrate, OldSchemaError } from "../src/index.ts";

function waiting(url: string) {
  const stop = new AbortController();
  const warnings: string[] = [];
  const log = { warn: (_: object, message: string) => void warnings.push(message) };
  const opening = awaitDatabase(url, {
    applicationName: "test",
    poolMax: 1,
    log,
    stopping: stop.signal,
  });
  opening.catch(() => {}); // its test looks later
  return { opening, stop, warnings };
}

test("a server that is away is waited for, and told of once", async () => {
  await using database = await createTestDatabase();
  const { hostname, port } = new URL(database.url);
  let isAway = true;
  const door = createServer((socket) => {
    if (isAway) return void socket.destroy();
    const inside = connect(Number(port), hostname);
    socket.pipe(inside).pipe(socket);
    for (const end of [socket, inside]) end.on("error", () => end.destroy());
  });
  await once(door.listen(0, "127.0.0.1"), "listening");
  const url = new URL(database.url);
  url.host = `127.0.0.1:${(door.address() as AddressInfo).port}`;

  const { opening, warnings } = waiting(url.href);
  await until(() => warnings.length > 0);
  isAway = false;
  await using opened = await opening;

  await opened.ping();
  expect(warnings).toEqual(["PostgreSQL does not answer; waiting for it"]);
  door.close();
});

test("whoever waits lets go when the process is told to stop", async () => {
  const { opening, stop, warnings } = waiting("postgres://u:secret@127.0.0.1:1/none");
  await until(() => warnings.length > 0);
  stop.abort(new Error("told to stop"));
  await expect(opening).rejects.toThrow("told to stop");
});

test("a schema without a migration of this release is refused, one with more is not", async () => {
  await using database = await openEmptyDatabase();
  await expect(waiting(database.url).opening).rejects.toThrow(OldSchemaError);
  const applied = await migrate(database.url);
  await using opened = await waiting(database.url).opening;
  const change = (statement: string) => sql.raw(statement).execute(opened.kysely);

  await change("INSERT INTO kysely_migration (name, timestamp) VALUES ('9999-of-the-future', '')");
  await (await waiting(database.url).opening)[Symbol.asyncDispose]();
  await change(`DELETE FROM kysely_migration WHERE name = '${applied.at(-1)}'`);
  await expect(waiting(database.url).opening).rejects.toThrow(
    `older than this release, which also has ${applied.at(-1)}: run this release's migrate first`,
  );
});

test("a database that is not there is no reason to wait", async () => {
  await using database = await createTestDatabase();
  const url = new URL(database.url);
  url.pathname = "/nowhere";
  const refused = await waiting(url.href).opening.catch((error) => error);
  expect(refused).toBeInstanceOf(DatabaseRefusedError);
  expect(refused.message).toContain('database "nowhere" does not exist');
});
