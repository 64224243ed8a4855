import { createTestDatabase, until } from "@ballast/testing";
import { sql } from "kysely";
import { expect, test } from "vitest";
import {
  abandonIdempotent,
  beginIdempotent,
  createApiKey,
  findApiKey,
  findApiKeys,
  finishIdempotent,
  type IdempotencyClaim,
  IdempotencyClaimLostError,
  purgeIdempotencyKeys,
  type Queryable,
  revokeApiKey,
} from "../src/index.ts";

async function setup() {
  const database = await createTestDatabase();
  const db = database.db.kysely;
  const { id, key } = await createApiKey(db, { name: "shop", companyId: null, scopes: ["read"] });
  const call = { apiKeyId: id, key: "k1", method: "POST", path: "/v1/x", bodyHash: "h1" };
  return {
    database: database.db,
    db,
    id,
    key,
    call,
    begin: async () => {
      const begun = await beginIdempotent(db, call);
      if (begun.kind !== "new") throw new Error(`expected a new call, got ${begun.kind}`);
      return begun.claim;
    },
    age: (interval: string) =>
      sql`UPDATE idempotency_keys SET created_at = now() - ${interval}::interval`.execute(db),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const answer = { status: 202, headers: { location: "/v1/jobs/1" }, body: "{}" };

test("a key opens until it is revoked, and is kept as a hash alone", async () => {
  await using t = await setup();
  expect(t.key).toMatch(/^bk_[a-z0-9]{8}_[\w-]{43}$/);
  expect(await findApiKey(t.db, t.key)).toEqual({
    id: t.id,
    name: "shop",
    companyId: null,
    scopes: ["read"],
  });
  const stored = await t.db.selectFrom("apiKeys").selectAll().execute();
  expect(JSON.stringify(stored)).not.toContain(t.key.split("_").slice(2).join("_"));
  expect(stored[0]?.lastUsedAt).toBeInstanceOf(Date);

  expect(await revokeApiKey(t.db, t.id)).toBe(true);
  expect(await findApiKey(t.db, t.key)).toBeUndefined();
});

test("a key with the right prefix and another secret opens nothing", async () => {
  await using t = await setup();
  const last = t.key.endsWith("A") ? "E" : "A";
  for (const wrong of ["", "bk_", `${t.key} `, t.key.toUpperCase(), `${t.key.slice(0, -1)}${last}`])
    expect(await findApiKey(t.db, wrong)).toBeUndefined();
});

test("many keys are looked up together, each is answered for itself, and the use of those that open is noted", async () => {
  await using t = await setup();
  const other = await createApiKey(t.db, { name: "till", companyId: null, scopes: ["write"] });
  const made = `bk_abcdefgh_${"A".repeat(43)}`;
  const asked = [made, other.key, "", t.key, `${t.key.slice(0, -2)}AA`, other.key];
  const found = await findApiKeys(t.db, asked);
  expect(found.map((one) => one?.name)).toEqual([
    undefined,
    "till",
    undefined,
    "shop",
    undefined,
    "till",
  ]);
  const used = await t.db.selectFrom("apiKeys").select("lastUsedAt").execute();
  expect(used).toEqual([{ lastUsedAt: expect.any(Date) }, { lastUsedAt: expect.any(Date) }]);
});

test("of calls with one key made at once, one is new", async () => {
  await using t = await setup();
  const begun = await Promise.all(Array.from({ length: 6 }, () => beginIdempotent(t.db, t.call)));
  expect(begun.map(({ kind }) => kind).sort()).toEqual([...Array(5).fill("in_flight"), "new"]);
});

test("a finished call answers the same again, and another body is a mismatch", async () => {
  await using t = await setup();
  await finishIdempotent(t.db, await t.begin(), answer);
  expect(await beginIdempotent(t.db, t.call)).toEqual({ kind: "done", answer });
  expect(await beginIdempotent(t.db, { ...t.call, bodyHash: "h2" })).toEqual({ kind: "mismatch" });
  expect(await beginIdempotent(t.db, { ...t.call, path: "/v1/y" })).toEqual({ kind: "mismatch" });
});

test("an abandoned call can be made again", async () => {
  await using t = await setup();
  await abandonIdempotent(t.db, await t.begin());
  expect(await t.begin()).toBeDefined();
});

test("a call whose process died is taken over, and the dead process cannot finish it", async () => {
  await using t = await setup();
  const dead: IdempotencyClaim = await t.begin();
  expect(await beginIdempotent(t.db, t.call)).toEqual({ kind: "in_flight" });
  await t.age("61 seconds");
  expect(await beginIdempotent(t.db, { ...t.call, bodyHash: "h2" })).toEqual({ kind: "mismatch" });

  const heir = await t.begin();

  await expect(finishIdempotent(t.db, dead, answer)).rejects.toThrow(IdempotencyClaimLostError);
  await finishIdempotent(t.db, heir, answer);
});

test("begun inside its transaction, a repeat waits for the first and gets its answer", async () => {
  await using t = await setup();
  const begun = Promise.withResolvers<void>();
  const first = t.database.transaction(async (tx) => {
    const claimed = await beginIdempotent(tx, t.call);
    begun.resolve();
    if (claimed.kind !== "new") throw new Error("expected a new call");
    await until(() => somebodyWaits(t.db), { what: "the repeat at the lock" });
    await finishIdempotent(tx, claimed.claim, answer);
  });
  await begun.promise;

  expect(await beginIdempotent(t.db, t.call)).toEqual({ kind: "done", answer });
  await first;
});

test("keys are forgotten after two days", async () => {
  await using t = await setup();
  await finishIdempotent(t.db, await t.begin(), answer);
  await t.age("47 hours");
  expect(await purgeIdempotencyKeys(t.db)).toBe(0);
  await t.age("49 hours");
  expect((await beginIdempotent(t.db, { ...t.call, bodyHash: "h2" })).kind).toBe("new");
  await t.age("49 hours");
  expect(await purgeIdempotencyKeys(t.db)).toBe(1);
});

test("however many are to be forgotten, no statement takes on all of them", async () => {
  await using t = await setup();
  await t.begin();
  await sql`
    INSERT INTO idempotency_keys (api_key_id, key, owner, method, path, body_hash, created_at)
    SELECT api_key_id, 'old-' || n, owner, method, path, body_hash, now() - interval '3 days'
    FROM idempotency_keys, generate_series(1, 5001) n`.execute(t.db);
  await sql`
    CREATE FUNCTION count_deleted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF (SELECT count(*) FROM gone) > 5000 THEN RAISE 'too many at once'; END IF;
      RETURN NULL;
    END $$`.execute(t.db);
  await sql`
    CREATE TRIGGER few AFTER DELETE ON idempotency_keys REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION count_deleted()`.execute(t.db);
  expect(await purgeIdempotencyKeys(t.db)).toBe(5_001);
});

async function somebodyWaits(db: Queryable): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db);
  return rows.length > 0;
}
