import { randomUUID } from "node:crypto";
import {
  type AlertKind,
  type IncidentState,
  openRemoteStore,
  type Queryable,
  uuidv7,
} from "@ballast/database";
import { type Attempt, type Handler, type Log, openRemoteGuard } from "@ballast/jobs";
import { createTestDatabase } from "@ballast/testing";
import { judgeChannel } from "../../src/channels/gate.ts";

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const never = new AbortController().signal;

/** A database with one incident of one letter that holds what must not leave, and one alert of it. */
export async function setup() {
  const { db, ...database } = await createTestDatabase();
  const [incidentId, alertId] = [uuidv7(), uuidv7()];
  await plantIncident(db.kysely, incidentId, alertId);
  return {
    db: db.kysely,
    /** The guard of a channel, as each process of the notifier has one. */
    guardOf: (key: string) =>
      openRemoteGuard({
        store: openRemoteStore(db),
        remote: { kind: "channel", key },
        judge: judgeChannel,
      }),
    incidentId,
    alertId,
    incident: async () =>
      await db.kysely
        .selectFrom("incidents")
        .selectAll()
        .where("id", "=", incidentId)
        .executeTakeFirstOrThrow(),
    /** Make one more alert of the incident. @returns its id */
    alert: async (kind: AlertKind) => {
      const id = uuidv7();
      await db.kysely
        .insertInto("alerts")
        .values({ id, incidentId, kind, deathCount: 3n })
        .execute();
      return id;
    },
    setState: (state: IncidentState) =>
      db.kysely
        .updateTable("incidents")
        .set({ state, resolvedAt: state === "resolved" ? new Date() : null })
        .execute(),
    /** The incident goes with its last letter, and its cause comes back later. @returns the id of the new one */
    comeAnew: async () => {
      for (const table of ["alerts", "deadLetters", "incidents"] as const)
        await db.kysely.deleteFrom(table).execute();
      const newId = uuidv7();
      await plantIncident(db.kysely, newId, uuidv7());
      return newId;
    },
    grow: (deathCount: number) =>
      db.kysely
        .updateTable("incidents")
        .set({ deathCount: BigInt(deathCount), ticketWantedCount: BigInt(deathCount) })
        .execute(),
    deliveries: () => db.kysely.selectFrom("alertDeliveries").selectAll().execute(),
    /** Run a handler once, as the runtime would. */
    run: <Result>(handler: Handler, payload: object): Promise<Result> =>
      handler.run({
        payload: handler.contract.payload.parse(payload),
        signal: never,
        log: quiet,
        progress() {},
        lease: { check() {}, step: (work) => work(never) },
        runId: randomUUID(),
        requestId: randomUUID(),
        attemptId: randomUUID(),
        attempt: 1,
        companyId: null,
        subject: null,
        traceparent: null,
      } as Attempt<unknown> as Attempt<never>) as Promise<Result>,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** The fields of its payload that are private. */
export const privateFieldsOf = () => ["customerName"];
/** What must be found in no alert and no ticket. */
export const HIDDEN = [
  "Erika",
  "Musterfrau",
  "erika@example.org",
  "sk-verysecret",
  "max@example.org",
];

async function plantIncident(db: Queryable, incidentId: string, alertId: string): Promise<void> {
  const died = new Date("2026-11-24T09:30:00Z");
  await db
    .insertInto("incidents")
    .values({
      id: incidentId,
      queue: "email",
      fingerprint: "0123456789abcdef0123456789abcdef",
      job: "send-invoice",
      code: "refused",
      title: "refused by max@example.org",
      deathCount: 3n,
      firstSeenAt: died,
      lastSeenAt: died,
      ignoredUntil: null,
      ignoredAbove: null,
      resolvedAt: null,
      ticketSystem: null,
      ticketId: null,
      ticketUrl: null,
      ticketToldCount: null,
      ticketWantedCount: null,
      resolvedToldAt: null,
    })
    .execute();
  const runId = uuidv7();
  await db
    .insertInto("deadLetters")
    .values({
      runId,
      queue: "email",
      engineJobId: runId,
      job: "send-invoice",
      version: 1,
      payload: JSON.stringify({
        invoiceId: "i-1",
        customerName: "Erika Musterfrau",
        apiKey: "sk-verysecret",
        "```to``` erika@example.org": "a note",
      }),
      companyId: null,
      subject: "invoice:i-1",
      priority: 0,
      code: "refused",
      message: "Erika Musterfrau was refused",
      stack: null,
      worker: null,
      traceparent: null,
      attemptsMade: 1,
      generation: 1,
      replayOf: null,
      origin: "request",
      askedAt: died,
      diedAt: died,
      sizeBytes: 100,
      fingerprint: "0123456789abcdef0123456789abcdef",
      incidentId,
      settledAt: null,
      settledBy: null,
      settledReason: null,
      replayRunId: null,
      replayRequestId: null,
      engineClearedAt: null,
    })
    .execute();
  await db
    .insertInto("alerts")
    .values({ id: alertId, incidentId, kind: "opened", deathCount: 1n })
    .execute();
}
