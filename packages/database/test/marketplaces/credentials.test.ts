import { expect, test } from "vitest";
import { parseKeyRing, readAccess, resealCredentials, UnsealError } from "../../src/index.ts";
import { aKey, ring, setup } from "./setup.ts";

test("credentials come back as they were, and stand nowhere in clear", async () => {
  await using t = await setup();
  expect(await readAccess(t.db.kysely, ring, t.account.id)).toMatchObject({
    credentials: { token: "hunter2" },
  });
  const row = await t.db.kysely
    .selectFrom("marketplaceAccounts")
    .selectAll()
    .executeTakeFirstOrThrow();
  expect(row.credentials.toString("latin1")).not.toContain("hunter2");
});

test("what was sealed for one account opens for no other, nor when a bit of it changed", async () => {
  await using t = await setup();
  const other = await t.open();
  const { credentials } = await t.db.kysely
    .selectFrom("marketplaceAccounts")
    .select("credentials")
    .where("id", "=", t.account.id)
    .executeTakeFirstOrThrow();
  const put = (bytes: Buffer) =>
    t.db.kysely
      .updateTable("marketplaceAccounts")
      .set({ credentials: bytes })
      .where("id", "=", other.id)
      .execute();
  await put(credentials);
  await expect(readAccess(t.db.kysely, ring, other.id)).rejects.toThrow(UnsealError);

  const altered = Buffer.from(credentials);
  altered.writeUInt8(altered.readUInt8(14) ^ 1, 14);
  await t.db.kysely
    .updateTable("marketplaceAccounts")
    .set({ credentials: altered })
    .where("id", "=", t.account.id)
    .execute();
  await expect(readAccess(t.db.kysely, ring, t.account.id)).rejects.toThrow(UnsealError);
});

test("a key is replaced without a moment in which credentials cannot be read", async () => {
  await using t = await setup();
  const [old] = [...ring.keys].map(([id, key]) => `${id}:${key.toString("base64")}`);
  const next = aKey("next");
  const both = parseKeyRing(`${next},${old}`);
  expect(await readAccess(t.db.kysely, both, t.account.id)).toMatchObject({
    credentials: { token: "hunter2" },
  });

  expect(await resealCredentials(t.db, both)).toBe(1);
  expect(await resealCredentials(t.db, both)).toBe(0);
  // Whoever has the new key behind the old, or has it alone.
  for (const keys of [`${old},${next}`, next])
    expect(await readAccess(t.db.kysely, parseKeyRing(keys), t.account.id)).toMatchObject({
      credentials: { token: "hunter2" },
    });
  await expect(readAccess(t.db.kysely, ring, t.account.id)).rejects.toThrow(/no key next/);
});

test.each([
  ["", /key 1/],
  ["a:short", /key 1/],
  [`${aKey("a")},b`, /key 2/],
  [`${aKey("a")},${aKey("a")}`, /two keys are named a/],
])("a ring that cannot work is refused without showing a key: %#", (text, message) => {
  expect(() => parseKeyRing(text)).toThrow(message);
  for (const part of text.split(","))
    expect(() => parseKeyRing(text)).not.toThrow(part.slice(2) || "never");
});
