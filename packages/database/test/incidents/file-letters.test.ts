import { randomUUID } from "node:crypto";
import { createTestDatabase } from "@ballast/testing";
import { sql } from "kysely";
import { expect, test, vi } from "vitest";
import type { Database } from "../../src/index.ts";
import {
  fileLetters,
  incidentStory,
  type NewAlert,
  recordTicket,
  type Tell,
  tellResolved,
} from "../../src/index.ts";

/** A machine may be slow for a minute. */
vi.setConfig({ testTimeout: 90_000 });

interface Parked {
  readonly queue?: string;
  readonly message?: string;
  readonly payload?: object;
  readonly worker?: string;
  readonly subject?: string;
  readonly diedAt?: Date;
}

/** Letters as the trigger parks them, many at a time. */
async function park(db: Database, count: number, parked: (n: number) => Parked): Promise<void> {
  const rows = Array.from({ length: count }, (_, n) => {
    const {
      queue = "pdf",
      message = "it broke",
      payload = {},
      worker = "host:1",
      subject,
      diedAt,
    } = parked(n);
    return {
      run_id: randomUUID(),
      queue,
      message,
      payload,
      worker,
      subject: subject ?? null,
      died_at: diedAt ?? new Date(),
    };
  });
  await sql`
    INSERT INTO dead_letters (run_id, queue, engine_job_id, job, version, payload, subject, priority, code,
      message, worker, attempts_made, generation, origin, asked_at, died_at, size_bytes)
    SELECT run_id, queue, run_id::text, 'some-job', 1, payload, subject, 0, 'broken', message, worker, 1, 1,
      'request', died_at, died_at, 100
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS l(run_id uuid, queue text, message text,
      payload jsonb, worker text, subject text, died_at timestamptz)`.execute(db.kysely);
}

async function setup() {
  const { db, ...database } = await createTestDatabase();
  const told: NewAlert[] = [];
  const tickets: string[] = [];
  const tell: Tell = {
    alert: async (_tx, alert) => void told.push(alert),
    ticket: async (_tx, id) => void tickets.push(id),
  };
  const file = (change = {}) =>
    fileLetters(db, { limit: 100, tell, privateFieldsOf: () => ["customerName"], ...change });
  return {
    db,
    told,
    tickets,
    tell,
    file,
    /** As a notifier does: until nothing is left to file. */
    async fileAll() {
      for (;;) if ((await file()).letters === 0) return;
    },
    incidents: () => db.kysely.selectFrom("incidents").selectAll().orderBy("title").execute(),
    alerts: () => db.kysely.selectFrom("alerts").selectAll().orderBy("createdAt").execute(),
    unfiled: () =>
      db.kysely.selectFrom("deadLetters").select("runId").where("incidentId", "is", null).execute(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

test("5,000 deaths of 3 causes, filed by four replicas at once: 3 incidents, at most 4 alerts each", async () => {
  await using t = await setup();
  const causes = ["the shop refused order %", "no invoice %", 'customer "%" has no address'];
  await park(t.db, 5_000, (n) => ({ message: causes[n % 3]?.replace("%", String(n)) ?? "" }));

  await Promise.all([t.fileAll(), t.fileAll(), t.fileAll(), t.fileAll()]);
  await t.fileAll();

  const incidents = await t.incidents();
  expect(incidents.map(({ title, deathCount }) => [title, deathCount])).toEqual([
    ["customer <value> has no address", 1_666n],
    ["no invoice <n>", 1_667n],
    ["the shop refused order <n>", 1_667n],
  ]);
  expect(await t.unfiled()).toEqual([]);
  for (const { id } of incidents) {
    const alerts = (await t.alerts()).filter(({ incidentId }) => incidentId === id);
    expect(alerts.length).toBeLessThanOrEqual(4);
    expect(alerts.filter(({ kind }) => kind === "opened")).toHaveLength(1);
  }
  expect(t.told).toHaveLength((await t.alerts()).length);
}, 60_000);

test("an incident knows first, last, count and versions, and belongs to one queue", async () => {
  await using t = await setup();
  const [early, late] = [new Date("2026-11-01T10:00:00Z"), new Date("2026-11-02T10:00:00Z")];
  await park(t.db, 1, () => ({ diedAt: late, worker: "host:7@1.2.0" }));
  await t.file();
  await park(t.db, 2, (n) => ({ diedAt: early, worker: n === 0 ? "host:7@1.1.0" : "host:8" }));
  await park(t.db, 1, () => ({ queue: "email" }));
  await t.file();

  const [first] = (await t.incidents()).filter(({ queue }) => queue === "pdf");
  expect(await t.incidents()).toHaveLength(2);
  expect(first).toMatchObject({
    deathCount: 3n,
    firstSeenAt: early,
    lastSeenAt: late,
    workerVersions: ["1.2.0", "1.1.0"],
    state: "open",
    title: "it broke",
    code: "broken",
    job: "some-job",
  });
});

test("filing, alert and what it asks for commit together or not at all", async () => {
  await using t = await setup();
  await park(t.db, 3, () => ({}));
  const failing: Tell = { ...t.tell, alert: () => Promise.reject(new Error("no")) };
  await expect(t.file({ tell: failing })).rejects.toThrow("no");
  expect(await t.incidents()).toEqual([]);
  expect(await t.unfiled()).toHaveLength(3);
});

test("deaths of the alerts' own queue are filed and counted, and nobody is told", async () => {
  await using t = await setup();
  await park(t.db, 12, () => ({ queue: "dead-letter" }));
  const filed = await t.file({ untoldQueues: ["dead-letter"] });
  expect(filed).toMatchObject({
    letters: 12,
    alerts: [],
    withheld: [{ kind: "opened", deathCount: 12n }],
  });
  expect(t.told).toEqual([]);
  expect(await t.alerts()).toEqual([]);
});

test("a resolution is told once, and once more after the incident came back and was resolved again", async () => {
  await using t = await setup();
  const resolve = () =>
    t.db.kysely
      .updateTable("incidents")
      .set({ state: "resolved", resolvedAt: new Date() })
      .execute();
  const tellAll = () => tellResolved(t.db, { limit: 10, tell: t.tell });
  await park(t.db, 1, () => ({}));
  await t.file();
  expect(await tellAll()).toEqual([]);

  await resolve();
  await Promise.all([tellAll(), tellAll(), tellAll()]);
  await tellAll();
  await park(t.db, 1, () => ({ diedAt: new Date(Date.now() + 1_000) }));
  await t.file();
  await resolve();
  await tellAll();

  expect(t.told.map(({ kind }) => kind)).toEqual(["opened", "resolved", "reopened", "resolved"]);
  expect((await t.incidents())[0]).toMatchObject({ reopenedCount: 1 });
});

test("an incident's ticket is asked to be brought up to date when it has grown tenfold", async () => {
  await using t = await setup();
  await park(t.db, 2, () => ({}));
  await t.file();
  const [incident] = await t.incidents();
  const id = incident?.id ?? "";
  const ticket = { system: "github", id: "7", url: "https://example.org/7" };
  expect(await recordTicket(t.db.kysely, id, ticket, 2n)).toBe(true);
  expect(await recordTicket(t.db.kysely, id, { ...ticket, id: "8" }, 2n)).toBe(false);
  expect((await t.incidents())[0]).toMatchObject({ state: "ticketed", ticketId: "7" });

  await park(t.db, 17, () => ({}));
  await t.file();
  expect(t.tickets).toEqual([]);
  await park(t.db, 1, () => ({}));
  await t.file();
  expect(t.tickets).toEqual([id]);
});

test("what is marked private leaves neither in a title nor in what people are told", async () => {
  await using t = await setup();
  await park(t.db, 2, (n) => ({
    message: `customer Erika Muster${n} has no address`,
    payload: { invoiceId: "i1", customer: { customerName: `Erika Muster${n}` } },
    subject: "invoice:i1",
  }));
  await t.file();

  const [incident, ...others] = await t.incidents();
  expect(others).toEqual([]); // equal but for what is private: one cause
  const story = await incidentStory(t.db.kysely, incident?.id ?? "", () => ["customerName"]);
  expect(incident?.title).toBe("customer <private> has no address");
  expect(story).toMatchObject({
    openLetters: 2,
    subjects: ["invoice:i1"],
    subjectCount: 1,
    latest: {
      message: "customer <private> has no address",
      payload: { invoiceId: "i1", customer: { customerName: "<private>" } },
    },
  });
  expect(
    JSON.stringify(story, (_key, value) => (typeof value === "bigint" ? String(value) : value)),
  ).not.toContain("Muster");
});
