import { privateFieldsOf } from "@ballast/contracts";
import { hidePrivate, withoutPrivate } from "@ballast/database";
import type { Engine } from "@ballast/jobs";
import { scrubJson } from "@ballast/service";
import { BaseAdapter } from "@bull-board/api/dist/queueAdapters/base.js";
import type { JobStatus, QueueJob, QueueJobJson } from "@bull-board/api/dist/types.js";

type RawQueue = Awaited<ReturnType<Engine["rawQueue"]>>;
type RawJob = NonNullable<Awaited<ReturnType<RawQueue["getJob"]>>>;

const STATUSES = [
  "active",
  "waiting",
  "waiting-children",
  "prioritized",
  "completed",
  "failed",
  "delayed",
] as const satisfies readonly JobStatus[];

/**
 * A queue as the board may see it: without a way to change anything. Replaying, discarding, pausing are routes of
 * ours, which PostgreSQL knows of and which are on record.
 */
export class ReadOnlyQueue extends BaseAdapter {
  readonly #name: string;
  readonly #open: () => Promise<RawQueue>;

  constructor(name: string, engine: Pick<Engine, "rawQueue">) {
    super("bullmq", { readOnlyMode: true, allowRetries: false });
    this.#name = name;
    this.#open = () => engine.rawQueue(name);
  }

  getName = () => this.#name;
  getStatuses = () => ["latest" as const, ...STATUSES];
  getJobStatuses = () => [...STATUSES];
  getJobCounts = async () => (await this.#open()).getJobCounts(...STATUSES) as never;
  isPaused = async () => (await this.#open()).isPaused();

  async getJob(id: string): Promise<QueueJob | undefined> {
    const job = await (await this.#open()).getJob(id);
    return job && shown(this.#name, job);
  }

  async getJobs(statuses: JobStatus[], start?: number, end?: number): Promise<QueueJob[]> {
    const known = STATUSES.filter((status) => statuses.includes(status));
    const jobs = await (await this.#open()).getJobs(known, start, end);
    return jobs.filter((job) => job !== undefined).map((job) => shown(this.#name, job));
  }

  // Of what we do not use, there is none: schedules are rows, logs go to the log, metrics to Prometheus.
  getJobLogs = async () => [];
  getMetrics = async () => ({ meta: { count: 0, prevTS: 0, prevCount: 0 }, data: [], count: 0 });
  getRedisInfo = async () => null;
  getJobSchedulers = async () => [];
  getJobSchedulersCount = async () => 0;
  getGlobalConcurrency = async () => null;
  // Nor do our jobs have children: the board asks this for each job it opens, of adapters of its own make alone.
  getQueueQualifiedName = () => this.#name;
  getFlowProducer = async () => null;

  clean = refuse;
  addJob = refuse;
  pause = refuse;
  resume = refuse;
  empty = refuse;
  obliterate = refuse;
  promoteAll = refuse;
  removeJobScheduler = refuse;
  updateJobScheduler = refuse;
  runJobSchedulerNow = refuse;
  setGlobalConcurrency = refuse;
}

/** No route leads here: this is what holds if one ever does. */
async function refuse(): Promise<never> {
  throw new Error("queues are shown, not changed: use the API's own routes");
}

const shown = (queue: string, job: RawJob): QueueJob => ({
  opts: {},
  toJSON: () => withoutSecrets(queue, job.toJSON() as unknown as QueueJobJson),
  getState: () => job.getState() as never,
  promote: refuse,
  remove: refuse,
  retry: refuse,
});

/** As alerts and tickets show it: private fields hold nothing, and no text quotes what they held. */
function withoutSecrets(queue: string, job: QueueJobJson): QueueJobJson {
  const fields = privateFieldsOf(queue, job.name);
  const hide = (text: string) => hidePrivate(text, job.data, fields);
  const told = {
    ...job,
    data: withoutPrivate(job.data, fields),
    returnvalue: withoutPrivate(job.returnvalue, fields),
    progress: withoutPrivate(job.progress, fields),
    failedReason: hide(job.failedReason ?? ""),
    stacktrace: job.stacktrace?.map(hide) ?? null,
  };
  return scrubJson(told) as QueueJobJson;
}
