import { setTimeout as pause } from "node:timers/promises";
import { createTestDatabase, openProxy, until } from "@ballast/testing";
import { sql } from "kysely";
import { expect, test } from "vitest";
import {
  type DatabaseOptions,
  isDatabaseAway,
  openDatabase,
  type Queryable,
} from "../src/index.ts";

/** A database, and `far`, which reaches it through a door behind which a host can vanish. */
async function setup(options: Partial<DatabaseOptions>) {
  const open = new AsyncDisposableStack();
  const { db, url } = open.use(await createTestDatabase());
  const door = open.use(await openProxy(url));
  const far = open.use(
    await openDatabase(door.url, { applicationName: "far", poolMax: 1, ...options }),
  );
  return { db, door, far, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

/** Lock the one row that all are after. */
const take = (on: Queryable) =>
  sql`INSERT INTO marks (name, value) VALUES (${"spot"}, '') ON CONFLICT (name) DO UPDATE SET value = ''`.execute(
    on,
  );

test("a server that vanished is given up, whatever it was asked, and its successor is asked", async () => {
  await using t = await setup({ silenceMs: 500 });
  const asks = [
    () => take(t.far.kysely),
    () => t.far.transaction(take), // BEGIN meets it
    () =>
      t.far.transaction(async (tx) => {
        await take(tx);
        t.door.vanish(); // COMMIT meets it
      }),
  ];
  for (const [nth, ask] of asks.entries()) {
    await t.door.open();
    await t.far.ping();
    if (nth < 2) t.door.vanish();
    const error = await ask().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(isDatabaseAway(error), String(error)).toBe(true);
  }
  await t.door.open();
  await t.far.ping();
});

test("a server that nobody asked anything owes no answer", async () => {
  await using t = await setup({ silenceMs: 500 });
  await t.far.transaction(async (tx) => {
    await take(tx);
    await pause(1_200);
    await take(tx);
  });
});

test("a client that vanished within a transaction leaves its locks to those who wait for them", async () => {
  await using t = await setup({ idleInTransactionMs: 500, silenceMs: 1_000 });
  const locked = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const vanishing = t.far.transaction(async (tx) => {
    await take(tx);
    locked.resolve();
    await ended.promise;
  });
  await locked.promise;
  t.door.vanish();
  await take(t.db.kysely);
  ended.resolve();
  await expect(vanishing).rejects.toThrow();
});

test("a listener whose server vanished hears its successor", async () => {
  await using t = await setup({ silenceMs: 500 });
  const heard: string[] = [];
  await using _ = await t.far.listen("a", (payload) => heard.push(payload));
  t.door.vanish();
  await t.door.open();
  await until(() => heard.includes(""), { what: "being told to look" });
  await sql`SELECT pg_notify('a', 'after')`.execute(t.db.kysely);
  await until(() => heard.includes("after"), { what: "hearing again" });
});

test("a server finds out within a minute that a client vanished that asked nothing", async () => {
  await using t = await setup({});
  const { rows } = await sql<{ seconds: number }>`
    SELECT current_setting('tcp_keepalives_idle')::int
      + current_setting('tcp_keepalives_interval')::int * current_setting('tcp_keepalives_count')::int
      AS seconds`.execute(t.far.kysely);
  expect(rows[0]?.seconds).toBeLessThanOrEqual(60);
});
