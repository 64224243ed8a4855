import type { Queue } from "bullmq";
import { journalId } from "../identity.ts";
import { type Log, quietErrorLog } from "../telemetry.ts";
import { startConsumer } from "./bullmq-consumer.ts";
import { CANARY, canaryIdOf, isCanary } from "./canary-job.ts";
import { momentOf } from "./delivery.ts";
import type {
  Consumer,
  Consumption,
  Engine,
  EngineDeath,
  EngineJob,
  EngineJobState,
  EngineMemory,
  FailedJob,
  JammedJob,
  PendingJob,
  QueueCensus,
  QueueState,
} from "./engine.ts";
import { deathOf, failedJob, listedJob, removeEach } from "./failed-jobs.ts";
import { inTime } from "./in-time.ts";
import { OURS } from "./ours.ts";
import { ownIdOf } from "./own-id.ts";
import { QueueObjects } from "./queue-objects.ts";
import { ENDLESS_ATTEMPTS } from "./settle.ts";
import type { Store } from "./store-driver.ts";
import { removeOldCompleted } from "./sweep.ts";

/** A call to the engine that hangs is a call that failed; the frozen store answers never. */
const CALL_DEADLINE_MS = 3_000;

const SWEEP_DEADLINE_MS = 30_000;

/** Each job is in one of these. */
const COUNTED = [
  "waiting",
  "prioritized",
  "active",
  "delayed",
  "completed",
  "failed",
  "waiting-children",
] as const;

/** Those that have not begun. */
const PENDING = ["waiting", "prioritized", "delayed"] as const;

/** BullMQ behind the runtime's own words; everything specific to a store comes with `store`. */
export class BullmqEngine implements Engine {
  readonly kind: Engine["kind"];
  readonly #store: Store;
  readonly #log: Log;
  readonly #queues: QueueObjects;
  #closed = false;

  constructor(store: Store, log: Log) {
    this.kind = store.kind;
    this.#store = store;
    this.#log = log;
    this.#queues = new QueueObjects((name) => {
      const queue = store.queue(name);
      queue.on("error", quietErrorLog(log, `queue ${name}`));
      return queue;
    });
  }

  ping(deadlineMs: number = CALL_DEADLINE_MS): Promise<void> {
    return this.#within(() => this.#store.ping(), "ping", deadlineMs);
  }

  async add(queue: string, jobs: readonly EngineJob[]): Promise<void> {
    const bulk = jobs.map(({ id, name, data, priority }) => ({
      name,
      data,
      opts: {
        jobId: id,
        attempts: ENDLESS_ATTEMPTS,
        backoff: OURS,
        ...(priority > 0 ? { priority } : {}),
      },
    }));
    await this.#call(queue, (handle) => handle.addBulk(bulk), `add ${jobs.length} jobs`);
  }

  async prioritize(queue: string, engineJobId: string, priority: number): Promise<void> {
    await this.#call(
      queue,
      async (handle) => {
        const job = await handle.getJob(engineJobId);
        await job?.changePriority({ priority }).catch(async (error: unknown) => {
          if ((await handle.getJob(engineJobId)) !== undefined) throw error;
        });
      },
      `put job ${engineJobId} among the urgent`,
    );
  }

  async find(queue: string, engineJobId: string): Promise<EngineJobState | undefined> {
    const found = await this.#call(
      queue,
      async (handle) => {
        const id = await ownIdOf(handle, engineJobId);
        // The state first: read after the job, it may tell of an end that the job does not hold yet.
        const state = await this.#store.stateOf(queue, id);
        const job = await handle.getJob(id);
        return job === undefined ? undefined : { job, state };
      },
      `read job ${engineJobId}`,
    );
    // "unknown": added or removed between the two reads.
    if (found === undefined || found.state === "unknown") return undefined;
    const { job, state } = found;
    return {
      state,
      result: job.returnvalue,
      failedReason: job.failedReason ?? null,
      finishedAt: job.finishedOn === undefined ? null : new Date(job.finishedOn),
    };
  }

  async remove(queue: string, engineJobId: string): Promise<void> {
    await this.#call(
      queue,
      async (handle) => handle.remove(await ownIdOf(handle, engineJobId)),
      `remove job ${engineJobId}`,
    ).catch((error: unknown) =>
      this.#log.debug({ err: error, queue, engineJobId }, "job left in the engine"),
    );
  }

  async state(queue: string): Promise<QueueState> {
    const [counts, paused] = await this.#call(
      queue,
      (handle) =>
        Promise.all([
          handle.getJobCounts("waiting", "prioritized", "active", "delayed", "failed"),
          handle.isPaused(),
        ]),
      "read its state",
    );
    const count = (name: string) => counts[name] ?? 0;
    return {
      paused,
      waiting: count("waiting") + count("prioritized"),
      active: count("active"),
      delayed: count("delayed"),
      failed: count("failed"),
    };
  }

  async census(queue: string): Promise<QueueCensus> {
    const [paused, counts, heads] = await this.#call(
      queue,
      (handle) =>
        Promise.all([handle.isPaused(), handle.getJobCounts(...COUNTED), this.#store.heads(queue)]),
      "count its jobs",
    );
    const dateOf = (ms: number | null) => (ms === null ? null : new Date(momentOf(ms)));
    return {
      paused,
      counts,
      headSince: dateOf(heads.headSinceMs),
      nextDueAt: dateOf(heads.nextDueMs),
    };
  }

  async setPaused(queue: string, paused: boolean): Promise<void> {
    await this.#call(
      queue,
      (handle) => (paused ? handle.pause() : handle.resume()),
      paused ? "pause it" : "resume it",
    );
  }

  async failed(
    queue: string,
    { limit, cursor = "0" }: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<{ jobs: FailedJob[]; cursor?: string }> {
    const offset = Number(cursor);
    const entries = await this.#within(
      () => this.#store.failed(queue, offset, limit),
      `queue ${queue}: list failed jobs`,
    );
    const jobs = entries.map(({ id, createdMs, finishedMs, isOurs }) => {
      const createdAt = new Date(momentOf(createdMs));
      return {
        engineJobId: journalId({ engineJobId: id, createdAt, isOurs }),
        id,
        createdAt,
        finishedAt: new Date(momentOf(finishedMs)),
      };
    });
    return entries.length < limit ? { jobs } : { jobs, cursor: String(offset + limit) };
  }

  async pending(
    queue: string,
    { limit, cursor = "0" }: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<{ jobs: PendingJob[]; cursor?: string }> {
    // A page of one state after the other: BullMQ pages within a state alone.
    const [at = "0", from = "0"] = cursor.split(":");
    const state = PENDING[Number(at)];
    if (state === undefined) return { jobs: [] };
    const offset = Number(from);
    const found = await this.#call(
      queue,
      (handle) => handle.getJobs([state], offset, offset + limit - 1, true),
      "list jobs that wait",
    );
    const jobs = found
      .filter((job) => job !== undefined && !isCanary(job))
      .map(({ id = "", name, data }) => ({ engineJobId: id, name, data: data as unknown }));
    const next = found.length < limit ? `${Number(at) + 1}:0` : `${at}:${offset + limit}`;
    return Number(next.split(":")[0]) < PENDING.length ? { jobs, cursor: next } : { jobs };
  }

  async findFailed(queue: string, listed: FailedJob): Promise<EngineDeath | undefined> {
    const job = await this.#call(
      queue,
      (handle) => listedJob(handle, listed),
      `read job ${listed.engineJobId}`,
    );
    return typeof job === "string" ? undefined : deathOf(job);
  }

  async removeFailed(queue: string, engineJobIds: readonly string[]): Promise<string[]> {
    return await this.#call(
      queue,
      (handle) =>
        removeEach(handle, engineJobIds, async (_, id) =>
          failedJob(handle, await ownIdOf(handle, id)),
        ),
      `remove ${engineJobIds.length} failed jobs`,
      SWEEP_DEADLINE_MS,
    );
  }

  async removeListed(queue: string, jobs: readonly FailedJob[]): Promise<number> {
    const gone = await this.#call(
      queue,
      (handle) => removeEach(handle, jobs, listedJob),
      `remove ${jobs.length} failed jobs`,
      SWEEP_DEADLINE_MS,
    );
    return gone.length;
  }

  async rawQueue(queue: string): Promise<Queue> {
    return await this.#call(queue, (handle) => handle.isPaused().then(() => handle), "be read");
  }

  readEpoch(): Promise<string | null> {
    return this.#within(() => this.#store.readEpoch(), "read the epoch");
  }

  writeEpoch(epoch: string): Promise<void> {
    return this.#within(() => this.#store.writeEpoch(epoch), "write the epoch");
  }

  memory(): Promise<EngineMemory | null> {
    return this.#within(() => this.#store.memory(), "read its memory");
  }

  async consume(consumption: Consumption): Promise<Consumer> {
    await this.ping(); // a worker made while its store is away may stay deaf for life
    const { queue } = consumption;
    return startConsumer(consumption, this.#store, () =>
      this.#call(
        queue.name,
        (handle) => removeOldCompleted(handle, queue.completedKept),
        "remove old completed jobs",
        SWEEP_DEADLINE_MS,
      ),
    );
  }

  assertFit(): Promise<void> {
    return this.#within(() => this.#store.assertFit(), "tell whether it keeps what it is given");
  }

  jammed(queue: string): Promise<readonly JammedJob[]> {
    return this.#within(() => this.#store.jammed(queue), `queue ${queue}: read what is active`);
  }

  removeJammed(queue: string, id: string): Promise<void> {
    return this.#within(() => this.#store.removeJammed(queue, id), `queue ${queue}: remove ${id}`);
  }

  async sendCanary(queue: string, sender: string): Promise<void> {
    const opts = { jobId: canaryIdOf(sender), removeOnComplete: true, removeOnFail: true };
    await this.#call(queue, (handle) => handle.add(CANARY, {}, opts), "add a canary");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A store that is away must not keep the process: what cannot be closed politely is dropped.
    await Promise.allSettled(
      [...this.#queues].map((queue) => this.#within(() => queue.close(), "close a queue", 1_000)),
    );
    await this.#store.close();
  }

  async #call<T>(
    queue: string,
    ask: (handle: Queue) => Promise<T>,
    what: string,
    deadlineMs?: number,
  ): Promise<T> {
    if (!this.#queues.has(queue)) await this.ping();
    return await this.#queues.use(queue, (handle) =>
      this.#within(() => ask(handle), `queue ${queue}: ${what}`, deadlineMs),
    );
  }

  async #within<T>(
    call: () => Promise<T>,
    what: string,
    deadlineMs = CALL_DEADLINE_MS,
  ): Promise<T> {
    return await inTime(
      () => this.#store.ready().then(call),
      deadlineMs,
      `queue engine (${this.kind}): no answer in ${deadlineMs} ms to: ${what}`,
    );
  }
}
