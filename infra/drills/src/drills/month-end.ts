import { setTimeout as pause } from "node:timers/promises";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import { numberOf, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import { load } from "../load.ts";
import { manyInvoices } from "../many-invoices.ts";
import { COLLECTOR, type MemoryCourse, watchMemory } from "../memory.ts";
import type { Stack } from "../stack/stack.ts";
import { quickPdfLock } from "../tuning.ts";

/** A process that holds on to what it did for each of thousands of invoices grows by more than this. */
const FLAT_MIB_PER_MINUTE = 10;

const WORKERS = 2;

/** All of a month's invoices at once, while people go on asking for theirs and workers are killed. */
export const monthEnd = defineDrill({
  name: "month-end",
  promise:
    "a run of 10,000 invoices beside interactive requests, one worker killed a minute: these wait for one running job at most, the run ends complete, memory stays flat",
  sabotages: [
    {
      without: "a run's work being less urgent than a person's",
      file: "apps/api/src/invoice-runs/ask-item.ts",
      find: "    priority: BULK_PRIORITY,\n  };",
      replace: "    priority: 0,\n  };",
    },
  ],
  async run(t) {
    const [count, runMs, killEveryMs] = t.sized([1_000, 8_000, 12_000], [10_000, 180_000, 60_000]);
    const perSecond = t.sized(2, 0.5);
    // A worker's start takes the processors for about this long, which is a tenth of a run of seconds.
    const startMs = t.sized(1_000, 0);
    // One page at a time each: what an interactive request waits for is one job, not the processor.
    const stack = await t.open({
      apps: { api: 1, "pdf-worker": WORKERS },
      env: { PDF_CONCURRENCY: "1" },
      preload: [COLLECTOR],
      tuning: t.sized([quickPdfLock], []),
    });
    const { company, invoice } = await stack.invoice();
    const copies = { like: invoice.id, unrenderedEvery: 1 };
    const theirs = await manyInvoices(stack.db, { ...copies, count: 1_000, prefix: "SINGLE-" });
    const ask = () => stack.api.post(`/v1/invoices/${theirs.pop()}/pdf`);

    t.tell("interactive requests alone");
    await load({ perSecond: 2, seconds: 2, request: ask, signal: t.signal }); // warms up
    await untilAllOver(stack.db, 30_000);
    const seconds = t.sized(4, 40);
    const alone = await load({ perSecond, seconds, request: ask, signal: t.signal });
    await untilAllOver(stack.db, 30_000);
    const unloaded = await timesOf(stack, alone.accepted);

    // As many as this machine renders in that time; all the others have their document already.
    const unrenderedEvery = Math.max(1, Math.ceil((count * p95(unloaded)) / WORKERS / runMs));
    const rendered = Math.floor(count / unrenderedEvery);
    const ofTheMonth = { ...copies, count, prefix: "MONTH-", unrenderedEvery };
    const ids = unrenderedFirst(await manyInvoices(stack.db, ofTheMonth), unrenderedEvery);

    t.tell(`a run of ${count}, of which ${rendered} are to be rendered`);
    using memory = watchMemory(() => stack.replicas());
    const body = { companyId: company.id, action: "render", ids };
    const started = await stack.api.post("/v1/invoice-runs", body);
    const path = started.headers.get("location");
    if (path === null) throw new Error(`the run was refused: ${JSON.stringify(started.body)}`);
    const isOver = async () => (await stack.api.get(path)).body?.state === "completed";
    const over = new AbortController();
    const enough = AbortSignal.any([t.signal, over.signal]);
    const interactive = load({ perSecond, seconds: 600, request: ask, signal: enough });
    const killing = killNewest(stack, killEveryMs, enough);
    const took = await until(isOver, { deadlineMs: t.sized(60_000, 400_000), intervalMs: 200 })
      .then(() => true)
      .catch(() => false);
    over.abort();
    const [{ accepted, refusedCount }, killed] = await Promise.all([interactive, killing]);
    await untilAllOver(stack.db, 60_000);

    const run = (await stack.api.get(path)).body;
    const beside = await timesOf(stack, accepted);
    const jobMs = await longestUsualJobMs(stack);
    const boundMs = 3 * p95(unloaded) + jobMs + startMs;
    const courses = [...memory.courses(t.sized(2_000, 100_000))];
    t.figure("invoices", count);
    t.figure("rendered", rendered);
    t.figure("acceptedMs", Math.round(started.ms));
    t.figure("runSeconds", Math.round(run?.summary?.seconds ?? Number.NaN));
    t.figure("killed", killed);
    t.figure("interactive", beside.length);
    t.figure("p95AloneMs", Math.round(p95(unloaded)));
    t.figure("p95BesideMs", Math.round(p95(beside)));
    t.figure("boundMs", Math.round(boundMs));
    const tell = (of: (course: MemoryCourse) => string) =>
      courses.map(([name, course]) => `${name} ${of(course)}`).join(", ");
    t.figure(
      "mibByQuarter",
      tell(({ quartersMib }) => quartersMib.join("-")),
    );
    t.figure(
      "lateMibPerMinute",
      tell(({ lateMibPerMinute }) => lateMibPerMinute.toFixed(1)),
    );
    t.must("the run is accepted within 2 s for 10,000 invoices", started.ms <= 2_000);
    t.must("every interactive request is accepted", refusedCount === 0);
    t.must("every interactive request is done", beside.length === accepted.length);
    t.must("some were asked for while it ran", beside.length >= 5);
    t.must(
      "they wait three times as long as alone and one job more, at most",
      p95(beside) <= boundMs,
    );
    t.must("the run ends", took);
    t.must(`every invoice is done: ${JSON.stringify(run?.counts)}`, run?.counts?.done === count);
    t.must("each has one document", (await documents(stack, ids)) === count);
    t.must("some workers were killed", killed > 0);
    // A few seconds tell of a heap that fills for the first time, and of nothing else.
    for (const [name, course] of t.size === "full" ? courses : [])
      t.must(`the memory of ${name} stays flat`, isFlat(name, course));
  },
});

/** What is to be rendered is asked for at once, and stands before whatever a person asks for if nothing prevents it. */
function unrenderedFirst(ids: readonly string[], unrenderedEvery: number): readonly string[] {
  const isUnrendered = (n: number) => (n + 1) % unrenderedEvery === 0;
  return [...ids.filter((_, n) => isUnrendered(n)), ...ids.filter((_, n) => !isUnrendered(n))];
}

/** A browser is replaced after 2,000 pages, which takes away what it held on to; until then it may hold some more. */
const isFlat = (name: string, { lateMibPerMinute, quartersMib }: MemoryCourse): boolean =>
  name.endsWith("browser")
    ? (quartersMib[3] ?? Number.NaN) <= 1.25 * (quartersMib[1] ?? Number.NaN)
    : lateMibPerMinute <= FLAT_MIB_PER_MINUTE;

/**
 * The oldest worker stays, so that its memory tells of the whole run. The first is killed after a quarter of the
 * time between two.
 *
 * @returns how many were killed
 */
async function killNewest(stack: Stack, everyMs: number, signal: AbortSignal): Promise<number> {
  let killed = 0;
  for (;;) {
    await pause(killed === 0 ? everyMs / 4 : everyMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return killed;
    await stack.replicas("pdf-worker").at(-1)?.kill();
    killed += 1;
    await stack.start("pdf-worker");
  }
}

/** From each request to the end of its work, by the database's clock; those that are not done are left out. */
async function timesOf({ db }: Stack, locations: readonly string[]): Promise<number[]> {
  const ids = locations.map((location) => location.slice(location.lastIndexOf("/") + 1));
  const { rows } = await sql<{ ms: number }>`
    SELECT (extract(epoch FROM r.finished_at - q.created_at) * 1000)::float8 AS ms
    FROM job_requests q JOIN job_runs r ON r.id = q.run_id
    WHERE q.id = ANY(${ids}::uuid[]) AND r.state = 'completed'`.execute(db.kysely);
  return rows.map(({ ms }) => ms);
}

/** What "one running job" takes beside others: longer than that are one in twenty. */
async function longestUsualJobMs({ db }: Stack): Promise<number> {
  const { rows } = await sql<{ ms: number }>`
    SELECT (extract(epoch FROM percentile_cont(0.95) WITHIN GROUP (
      ORDER BY a.ended_at - a.started_at)) * 1000)::float8 AS ms
    FROM job_attempts a JOIN job_runs r ON r.id = a.run_id
    WHERE a.outcome = 'completed' AND r.queue = 'pdf'`.execute(db.kysely);
  return rows[0]?.ms ?? Number.NaN;
}

const documents = ({ db }: Stack, ids: readonly string[]): Promise<number> =>
  numberOf(db, sql`documents WHERE invoice_id = ANY(${[...ids]}::uuid[])`);

const p95 = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1] ?? Number.NaN;
