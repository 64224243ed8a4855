import { createTestDatabase } from "@ballast/testing";
import { expect, test } from "vitest";
import { findShutGate, openRemoteStore, remoteCensus } from "../../src/index.ts";

test("of the remotes that may be meant, the one that has been away for longest is found", async () => {
  await using database = await createTestDatabase();
  const db = database.db.kysely;
  const remotes = openRemoteStore(database.db);
  const shut = (kind: "smtp" | "storage" | "channel", key: string, closedAt: string) =>
    remotes.change({ kind, key }, ({ gate }) => ({
      state: { gate: { ...gate, state: "closed", closedAt: new Date(closedAt), code: "down" } },
      answer: undefined,
    }));
  await shut("smtp", "mail-1", "2026-11-25T10:00:00Z");
  await shut("smtp", "mail-2", "2026-11-25T09:00:00Z");
  await shut("channel", "slack", "2026-11-25T08:00:00Z");

  expect(await findShutGate(db, [{ kind: "storage" }, { kind: "smtp" }])).toMatchObject({
    key: "mail-2",
    state: "closed",
    code: "down",
  });
  expect(await findShutGate(db, [{ kind: "channel", key: "teams" }])).toBeUndefined();
  expect(await findShutGate(db, [])).toBeUndefined();
});

test("a gate that opens little by little is open once its time has come, whoever asks", async () => {
  await using database = await createTestDatabase();
  const db = database.db.kysely;
  const remotes = openRemoteStore(database.db);
  const mail = { kind: "smtp", key: "mail-1" } as const;
  const opens = (opensAt: Date) =>
    remotes.change(mail, ({ gate }) => ({
      state: { gate: { ...gate, state: "ramping", closedAt: new Date(0), opensAt } },
      answer: undefined,
    }));
  const states = async () => [
    (await remotes.read(mail)).gate.state,
    (await remoteCensus(db))[0]?.gate.state,
    (await findShutGate(db, [mail]))?.state,
  ];
  await opens(new Date(Date.now() + 60_000));
  expect(await states()).toEqual(["ramping", "ramping", "ramping"]);
  await opens(new Date(Date.now() - 1));
  expect(await states()).toEqual(["open", "open", undefined]);
});
