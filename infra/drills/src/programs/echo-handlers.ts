import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { defineJob, drill, echo } from "@ballast/contracts";
import type { Database } from "@ballast/database";
import {
  type Attempt,
  type Handler,
  handle,
  PermanentError,
  RateLimitedError,
  TransientError,
} from "@ballast/jobs";
import { sql } from "kysely";
import { z } from "zod";

interface EchoOptions {
  readonly takesMs: number;
  readonly blocksUntil: string | undefined;
  readonly release: number;
  /** What `brittle-…` dies of is mended. */
  readonly mended: boolean;
}

/** What a later release of the drills' worker knows. */
const parts = { queue: drill, payload: echo.payload, result: z.object({ id: z.string() }) };
const echoOfRelease2 = defineJob({ ...parts, name: "echo", version: 2, oldestVersion: 1 });
const reverberate = defineJob({ ...parts, name: "reverberate", version: 1 });

/**
 * The handlers of one release. A payload's id may ask for trouble:
 *
 * - `crash-…` throws outside of its promise
 * - `fail-…` fails every time, `retry-…` the first time, `die-…` for good, `brittle-…` until it is mended
 * - `wait-…` is told to come back in a minute
 * - `slow-…` takes 60 s, `takes-300-…` takes 300 ms, `calm-300-…` too, and has no effect
 * - `block-…` holds the event loop until the file ECHO_BLOCK_UNTIL is there
 *
 * Two things keep a second effect out, the lease and a ledger; a `bare-…` before any of these has the
 * lease alone, a `loose-…` the ledger alone.
 */
export function echoHandlers(database: Database, options: EchoOptions): Handler[] {
  const work = echoing(database, options);
  return options.release === 1
    ? [handle(echo, work)]
    : [handle(echoOfRelease2, work), handle(reverberate, work)];
}

const echoing =
  ({ kysely }: Database, { takesMs, blocksUntil, mended }: EchoOptions) =>
  async ({ payload: { id }, signal, lease, runId, attempt }: Attempt<{ readonly id: string }>) => {
    /** One row for each time the work was really done: twice for one run is a doubled effect. */
    const done = async () => {
      const found = await sql`SELECT FROM drill_effects WHERE run_id = ${runId}`.execute(kysely);
      return found.rows.length > 0;
    };
    const haveEffect = () =>
      sql`INSERT INTO drill_effects (run_id, id) VALUES (${runId}, ${id})`.execute(kysely);

    const wish = id.replace(/^(bare|loose)-/, "");
    await trouble(wish, attempt, mended);
    const [, wanted] = /^(?:takes|calm)-(\d+)-/.exec(wish) ?? [];
    const ms = wish.startsWith("slow-") ? 60_000 : Number(wanted ?? takesMs);
    if (blocksUntil !== undefined && wish.startsWith("block-")) blockUntil(blocksUntil);
    else await pause(ms, undefined, { signal });
    if (wish.startsWith("calm-")) return { id };
    const haveEffectOnce = async () => {
      if (id.startsWith("bare-") || !(await done())) await haveEffect();
    };
    await (id.startsWith("loose-") ? haveEffectOnce() : lease.step(haveEffectOnce));
    return { id };
  };

async function trouble(wish: string, attempt: number, mended: boolean): Promise<void> {
  const [kind] = wish.split("-", 1);
  if (kind === "crash")
    await new Promise(() => {
      setImmediate(() => {
        throw new Error(`${wish} throws where nobody catches it`);
      });
    });
  if (kind === "fail" || (kind === "retry" && attempt === 1))
    throw new TransientError("drilled", `${wish} fails, attempt ${attempt}`);
  if (kind === "die" || (kind === "brittle" && !mended))
    throw new PermanentError("drilled_death", `${wish} dies`);
  if (kind === "wait")
    throw new RateLimitedError("drilled", `${wish} is to come back`, { retryAfterMs: 60_000 });
}

/** Nothing else happens in this process until the file is there, just as in a loop without end. */
function blockUntil(file: string): void {
  const still = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(file)) Atomics.wait(still, 0, 0, 50);
}
