import type { Job, Queue } from "bullmq";
import { addedId, journalId } from "../identity.ts";
import { type Log, quietErrorLog } from "../telemetry.ts";
import { startConsumer } from "./bullmq-consumer.ts";
import { CANARY, canaryIdOf, isCanary } from "./canary-job.ts";
import { deliveryOf, momentOf } from "./delivery.ts";
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
import { OURS } from "./ours.ts";
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
    return await this.#call(
      queue,
      async (handle) => {
        const job = await listedJob(handle, listed);
        if (job === "gone" || job === "kept") return undefined;
        return {
          delivery: deliveryOf(job),
          reason: job.failedReason ?? null,
          finishedAt: new Date(momentOf(job.finishedOn ?? Date.now())),
        };
      },
      `read job ${listed.engineJobId}`,
    );
  }

  async removeFailed(queue: string, engineJobIds: readonly string[]): Promise<string[]> {
    return await this.#removeEach(queue, engineJobIds, async (handle, engineJobId) =>
      failedJob(handle, await ownIdOf(handle, engineJobId)),
    );
  }

  async removeListed(queue: string, jobs: readonly FailedJob[]): Promise<number> {
    return (await this.#removeEach(queue, jobs, listedJob)).length;
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

  /** @returns those that are gone, whoever removed them */
  async #removeEach<Named>(
    queue: string,
    names: readonly Named[],
    find: (handle: Queue, name: Named) => Promise<Job | "gone" | "kept">,
  ): Promise<Named[]> {
    const isGone = async (handle: Queue, name: Named) => {
      const job = await find(handle, name);
      if (job === "gone") return true;
      // Removing a child lets its parent run, without what the child was to bring.
      if (job === "kept" || job.parentKey !== undefined) return false;
      await handle.remove(job.id ?? "");
      return true;
    };
    const gone = await this.#call(
      queue,
      (handle) => Promise.all(names.map((name) => isGone(handle, name))),
      `remove ${names.length} failed jobs`,
      SWEEP_DEADLINE_MS,
    );
    return names.filter((_, at) => gone[at]);
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
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () =>
          reject(
            new EngineSilentError(
              `queue engine (${this.kind}): no answer in ${deadlineMs} ms to: ${what}`,
            ),
          ),
        deadlineMs,
      );
    });
    try {
      return await Promise.race([this.#store.ready().then(call), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * The id under which BullMQ has a job of the journal. Another team's job has the one it was added under,
 * unless that is another job's by now: then, if at all, it was added again by the whole of its journalled id.
 */
async function ownIdOf(handle: Queue, journalled: string): Promise<string> {
  const added = addedId(journalled);
  if (added === undefined) return journalled;
  const job = await handle.getJob(added.id);
  return job !== undefined && momentOf(job.timestamp) === added.createdMs ? added.id : journalled;
}

/** A job of the list of failed ones, unless its id was given to another meanwhile. */
async function listedJob(handle: Queue, { id, createdAt }: FailedJob) {
  const job = await failedJob(handle, id);
  const isAnother = typeof job !== "string" && momentOf(job.timestamp) !== createdAt.getTime();
  return isAnother ? "gone" : job;
}

/** A job, if it is failed; `kept` if it is anything else. The state is read last, and only moves on from there. */
async function failedJob(handle: Queue, id: string): Promise<Job | "gone" | "kept"> {
  const job = await handle.getJob(id);
  if (job === undefined) return "gone";
  return (await handle.getJobState(id)) === "failed" ? job : "kept";
}

class EngineSilentError extends Error {
  override readonly name = "EngineSilentError";
  readonly dependencyDown = true;
}

const PENDING = ["waiting", "prioritized", "delayed"] as const;
