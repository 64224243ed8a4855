import { randomBytes } from "node:crypto";
import { sampleLine, seedIssuedInvoice, until } from "@ballast/testing";
import { Queue } from "bullmq";
import type pg from "pg";
import type { Bench, BenchContext } from "../bench.ts";
import { seenOf } from "../interleave.ts";
import { openClient } from "../pg-client.ts";
import { openServices, type Services } from "../services.ts";

/** Printing it takes a second or two, in which its worker is killed. */
const LINES = 1_500;
/** BullMQ's interval between two looks for jobs whose lock ran out. */
const STALLED_INTERVAL_MS = 30_000;

/** What a dead worker costs the document it was printing. */
export const recovery: Bench = {
  name: "recovery",
  about: "from the SIGKILL of a worker to the next start of its job, against BullMQ's defaults",
  async run(context) {
    const rounds = context.sized(1, 4);
    // Nearly all of it is waiting, so all rounds of theirs wait at once, and ours meanwhile.
    const [ours, theirs] = await Promise.all([
      ourRecoveries(context, rounds),
      Promise.all(Array.from({ length: rounds }, (_, n) => theirRecovery(context, n / rounds))),
    ]);
    const samples = ours.map((seconds, n) => ({
      ours: { seconds },
      bullmq: { seconds: theirs[n] ?? 0 },
    }));
    const seen = seenOf(samples, []);
    context.table("recoveries", seen, ["ours", "bullmq"]);
    context.compare(seen, {
      ours: "ours",
      theirs: "bullmq",
      against: "a BullMQ worker with its defaults",
      figure: "seconds",
      unit: "s",
      goal: { atMost: 0.3 },
    });
  },
};

/** Kill the PDF worker that prints, as often as asked. @returns seconds until another began */
async function ourRecoveries(context: BenchContext, rounds: number): Promise<number[]> {
  const services = await openServices(context);
  const api = await services.start("api");
  const client = context.use(await openClient(services.databaseUrl));
  const workers = [await services.start("pdf-worker"), await services.start("pdf-worker")];
  const took: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = await printing(context, services, client, api.url);
    const holder = workers.find(({ pid }) => before.worker.includes(`:${pid}@`));
    if (holder === undefined) throw new Error(`${before.worker} is none of our workers`);
    await holder.kill();
    const killedAt = performance.now();
    await until(() => startOf(client, before.runId, before.attempt), {
      deadlineMs: 120_000,
      intervalMs: 10,
    });
    took.push((performance.now() - killedAt) / 1_000);
    await until(() => isOver(client, before.runId), { deadlineMs: 120_000, intervalMs: 50 });
    workers[workers.indexOf(holder)] = await services.start("pdf-worker");
  }
  return took;
}

interface Printing {
  readonly runId: string;
  readonly attempt: string;
  /** Host, process and version of whoever prints it. */
  readonly worker: string;
}

/** Ask for a long document, and wait until somebody prints it. */
async function printing(
  context: BenchContext,
  services: Services,
  client: pg.Client,
  url: string,
): Promise<Printing> {
  const lines = Array.from({ length: LINES }, (_, n) => sampleLine({ description: `Nr. ${n}` }));
  const { invoice } = await seedIssuedInvoice(services.db, { invoice: { lines } });
  const asked = await fetch(`${url}/v1/invoices/${invoice.id}/pdf`, {
    method: "POST",
    headers: services.headers,
    body: "{}",
    signal: context.signal,
  });
  if (asked.status !== 202)
    throw new Error(`the API answers ${asked.status}: ${await asked.text()}`);
  let found: Printing | undefined;
  const started = async () => {
    const { rows } = await client.query<Printing>(
      `SELECT id AS "runId", running_attempt_id AS attempt, running_on AS worker FROM job_runs
       WHERE subject = $1 AND running_on IS NOT NULL`,
      [`invoice:${invoice.id}`],
    );
    found = rows[0];
    return found !== undefined;
  };
  await until(started, { deadlineMs: 60_000, intervalMs: 10 });
  if (found === undefined) throw new Error("nobody prints it");
  return found;
}

const startOf = async (client: pg.Client, runId: string, before: string): Promise<boolean> => {
  const { rowCount } = await client.query(
    "SELECT FROM job_runs WHERE id = $1 AND running_attempt_id <> $2",
    [runId, before],
  );
  return rowCount === 1;
};

const isOver = async (client: pg.Client, runId: string): Promise<boolean> => {
  const text = "SELECT FROM job_runs WHERE id = $1 AND state = 'completed'";
  return (await client.query(text, [runId])).rowCount === 1;
};

/**
 * Kill the worker that holds a job while another one waits for work.
 *
 * @param phase when, between two looks of the other one for lost jobs
 * @returns seconds until the other one began
 */
async function theirRecovery(context: BenchContext, phase: number): Promise<number> {
  const { url } = await context.servers.redis();
  const queueName = `recovery-${randomBytes(4).toString("hex")}`;
  const queue = new Queue(queueName, { connection: { url } });
  context.use({ [Symbol.asyncDispose]: () => queue.disconnect() });
  const holder = await context.subject("bare-worker");
  const held = holder.ask("hold", { url, queueName });
  await queue.add("print", { id: "1" });
  await held;
  const other = await context.subject("bare-worker");
  await other.ask("stand", { url, queueName });
  const taken = other.ask("taken");
  await new Promise((resolve) => setTimeout(resolve, phase * STALLED_INTERVAL_MS));
  await holder[Symbol.asyncDispose]();
  const killedAt = performance.now();
  await taken;
  return (performance.now() - killedAt) / 1_000;
}
