import { sql } from "kysely";
import { expect, test } from "vitest";
import {
  extentOf,
  findIncident,
  type LetterFilter,
  listIncidents,
  listJobRequests,
  listLetters,
} from "../../src/index.ts";
import { type Setup, setup } from "../run-store/setup.ts";

const LETTERS = 20_000;
const BOUND_MS = 300;
const COMPANY = "0190c1a2-0000-7000-8000-00000000000a";
const INCIDENT = "0190c1a2-0000-7000-8000-0000000000f1";

/** Deaths of three causes, each about another invoice, every tenth of one company, some dealt with. */
async function storm({ db }: Setup): Promise<void> {
  await sql`
    INSERT INTO incidents (id, queue, fingerprint, job, title, death_count, first_seen_at, last_seen_at)
    VALUES (${INCIDENT}, 'pdf', 'f', 'render-invoice', 'no tax rate', ${LETTERS}, now(), now())`.execute(
    db.kysely,
  );
  await sql`
    WITH runs AS (
      INSERT INTO job_runs (id, queue, engine_job_id, job, version, payload, company_id, subject, priority,
                            deadline_at, state, finished_at, error_code, error_message)
      SELECT id, 'pdf', id::text, 'render-invoice', 1, '{}',
             CASE WHEN n % 10 = 0 THEN ${COMPANY}::uuid END, 'invoice:' || n, 0, now(), 'dead',
             now() - n * interval '1 second', 'cause_' || n % 3, 'no tax rate'
      FROM (SELECT gen_random_uuid() AS id, n FROM generate_series(1, ${LETTERS}::int) n) s
      RETURNING *
    ), requests AS (
      INSERT INTO job_requests (id, run_id, joined) SELECT gen_random_uuid(), id, false FROM runs
    )
    INSERT INTO dead_letters (run_id, queue, engine_job_id, job, version, payload, company_id, subject,
      priority, code, message, stack, attempts_made, generation, origin, asked_at, died_at, size_bytes,
      fingerprint, incident_id, state, settled_at)
    SELECT id, queue, engine_job_id, job, version, payload, company_id, subject, priority, error_code,
      error_message, repeat('at frame', 200), 5, 1, 'request', created_at, finished_at, 1000, 'f',
      ${INCIDENT}, CASE WHEN length(subject) % 4 = 0 THEN 'discarded' ELSE 'open' END,
      CASE WHEN length(subject) % 4 = 0 THEN now() END
    FROM runs`.execute(db.kysely);
  await sql`ANALYZE`.execute(db.kysely);
}

/** The fastest of some: a machine that is busy with other things for a moment proves nothing. */
async function fastestMs(read: () => Promise<unknown>): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 10 && fastest > BOUND_MS / 3; tries += 1) {
    const startedAt = performance.now();
    await read();
    fastest = Math.min(fastest, performance.now() - startedAt);
  }
  return fastest;
}

test("after a storm of deaths, lists of letters, incidents and jobs still answer in a moment", async () => {
  await using t = await setup();
  await storm(t);
  const { kysely } = t.db;
  const filters: LetterFilter[] = [
    {},
    { state: "open", queue: "pdf" },
    { state: "discarded" },
    { incidentId: INCIDENT },
    { subject: `invoice:${LETTERS}` },
    { code: "cause_1", job: "render-invoice" },
    { code: "nobody_died_of_this" },
    { queue: "email" },
    { until: new Date(Date.now() - (LETTERS - 10) * 1_000) },
  ];
  for (const filter of filters)
    for (const scope of ["all", COMPANY])
      expect
        .soft(await fastestMs(() => listLetters(kysely, scope, filter)), JSON.stringify(filter))
        .toBeLessThan(BOUND_MS);

  expect(await fastestMs(() => listIncidents(kysely))).toBeLessThan(BOUND_MS);
  expect(await fastestMs(() => extentOf(kysely, INCIDENT))).toBeLessThan(BOUND_MS);
  const bySubject = { subject: `invoice:${LETTERS}` };
  expect(await fastestMs(() => listJobRequests(kysely, "all", bySubject))).toBeLessThan(BOUND_MS);
  expect((await listJobRequests(kysely, "all", bySubject)).requests).toHaveLength(1);
  expect(await findIncident(kysely, INCIDENT)).toMatchObject({ deathCount: BigInt(LETTERS) });
}, 240_000);
