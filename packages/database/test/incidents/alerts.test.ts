import { createTestDatabase } from "@ballast/testing";
import { expect, test, vi } from "vitest";
import { recordAlert } from "../../src/incidents/alerts.ts";
import {
  type AlertKind,
  alertsOf,
  type Database,
  findAlert,
  type Tx,
  uuidv7,
} from "../../src/index.ts";

vi.setConfig({ testTimeout: 60_000 });

async function setup() {
  const { db, ...database } = await createTestDatabase();
  const incidentId = await plantIncident(db);
  return {
    db,
    incidentId,
    record: async (tx: Tx, kind: AlertKind, madeAt: number) => {
      const alert = { id: uuidv7(madeAt), incidentId, queue: "pdf", kind, deathCount: 1n };
      await recordAlert(tx, alert, { alert: async () => {}, ticket: async () => {} });
      return alert.id;
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

async function plantIncident({ kysely }: Database): Promise<string> {
  const id = uuidv7();
  const at = new Date();
  await kysely
    .insertInto("incidents")
    .values({
      id,
      queue: "pdf",
      fingerprint: "f",
      job: "j",
      title: "it broke",
      firstSeenAt: at,
      lastSeenAt: at,
    })
    .execute();
  return id;
}

test("alerts of an incident stand in the order of their making, whatever clocks and starts of transactions say", async () => {
  await using t = await setup();
  const now = Date.now();
  const [resolved, reopened] = await t.db.transaction(async (early) => {
    // Now its moment is fixed, as that of a filing that waits for the incident.
    await early.selectFrom("incidents").select("id").execute();
    const first = await t.db.transaction((tx) => t.record(tx, "resolved", now));
    // And its process has a clock that is behind.
    return [first, await t.record(early, "reopened", now - 60_000)];
  });

  expect((await findAlert(t.db.kysely, resolved ?? ""))?.laterKinds).toEqual(["reopened"]);
  expect((await findAlert(t.db.kysely, reopened ?? ""))?.laterKinds).toEqual([]);
  const told = await alertsOf(t.db.kysely, t.incidentId);
  expect(told.map(({ kind }) => kind)).toEqual(["reopened", "resolved"]);
});
