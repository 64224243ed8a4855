/** The apps whose processes may export a metric. */
export type Exporter =
  | "api"
  | "pdf-worker"
  | "email-worker"
  | "marketplace-sync-worker"
  | "dlq-notifier";

/** One metric, as it is declared. */
export interface Declaration {
  readonly name: string;
  /** What it says, as one sentence. */
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  readonly by: readonly Exporter[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
  /** Whether replicas report the same thing, so that a sum over them counts it once for each. */
  readonly alike?: true;
}

/** From a query of milliseconds to the longest attempt a contract allows. */
const ATTEMPT_BUCKETS_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
];
/** From an idle queue to one that waited through a night. */
const WAIT_BUCKETS_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400];
const OUTBOX_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 3_600];
const HTTP_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const API = ["api"] as const;
const PDF = ["pdf-worker"] as const;
const MAIL = ["email-worker"] as const;
const SYNC = ["marketplace-sync-worker"] as const;
const NOTIFIER = ["dlq-notifier"] as const;
/** Whoever asks for runs that must not wait for another process to hand them over. */
const DISPATCHERS = [...API, ...NOTIFIER] as const;
/** Whoever runs jobs of a queue. */
const WORKERS = [...PDF, ...MAIL, ...SYNC, ...NOTIFIER] as const;

const EVERYONE = [...API, ...WORKERS] as const;

/**
 * Every metric of ours, by the name the code knows it under.
 *
 * One list for all processes, so names, labels and help texts cannot drift apart. Labels take few, known values: a job
 * id, customer or address belongs in the log. The table in the README is made from it (`scripts/generate-metrics.ts`).
 */
export const metricList = {
  attempts: {
    type: "counter",
    name: "ballast_attempts_total",
    help: "Attempts that ended, by what became of them.",
    labels: ["queue", "job", "outcome"],
    by: WORKERS,
  },
  errors: {
    type: "counter",
    name: "ballast_errors_total",
    help: "Attempts that ended with an error, by its code.",
    labels: ["queue", "job", "code"],
    by: WORKERS,
  },
  attemptDuration: {
    type: "histogram",
    name: "ballast_attempt_duration_seconds",
    help: "Time an attempt took, from its start to its outcome.",
    labels: ["queue", "job"],
    buckets: ATTEMPT_BUCKETS_SECONDS,
    by: WORKERS,
  },
  waitDuration: {
    type: "histogram",
    name: "ballast_wait_duration_seconds",
    help: "Time between the moment an attempt could have started and its start.",
    labels: ["queue", "job"],
    buckets: WAIT_BUCKETS_SECONDS,
    by: WORKERS,
  },
  stalls: {
    type: "counter",
    name: "ballast_stalls_total",
    help: "Jobs taken back from a worker that stopped renewing its lock.",
    labels: ["queue"],
    by: WORKERS,
  },
  canaryAge: {
    type: "gauge",
    name: "ballast_canary_age_seconds",
    help: "Time since this process was last given a job or a canary by its queue.",
    labels: ["queue"],
    by: WORKERS,
  },
  dispatched: {
    type: "counter",
    name: "ballast_dispatched_total",
    help: "Runs handed from the outbox to the queue engine; bulk work apart from what is wished for one by one.",
    labels: ["queue", "bulk"],
    by: DISPATCHERS,
  },
  outboxLag: {
    type: "histogram",
    name: "ballast_outbox_lag_seconds",
    help: "Age of the oldest run of each batch when it was handed to the queue engine.",
    labels: [],
    buckets: OUTBOX_BUCKETS_SECONDS,
    by: DISPATCHERS,
  },
  outboxPending: {
    type: "gauge",
    name: "ballast_outbox_pending",
    help: "Due runs that are committed and not yet handed to the queue engine, but for bulk work, held ones, and those whose slot is taken or whose queue is paused.",
    labels: [],
    by: API,
    alike: true,
  },
  outboxOldestAge: {
    type: "gauge",
    name: "ballast_outbox_oldest_pending_age_seconds",
    help: "How long the oldest of the runs that ballast_outbox_pending counts has waited to be handed over; 0 if there is none.",
    labels: [],
    by: API,
    alike: true,
  },
  bulkPending: {
    type: "gauge",
    name: "ballast_outbox_bulk_pending",
    help: "Due runs of bulk work that wait as rows until the queue engine has room for them, counted up to 10,000; those of paused queues too.",
    labels: ["queue"],
    by: API,
    alike: true,
  },
  bulkOldestAge: {
    type: "gauge",
    name: "ballast_outbox_bulk_oldest_pending_age_seconds",
    help: "How long the oldest of the runs that ballast_outbox_bulk_pending counts could have begun; 0 if there is none.",
    labels: ["queue"],
    by: API,
    alike: true,
  },
  jobCount: {
    type: "gauge",
    name: "bullmq_job_count",
    help: "Jobs in the queue engine, by state.",
    labels: ["queue", "state"],
    by: API,
    alike: true,
  },
  queuePaused: {
    type: "gauge",
    name: "ballast_queue_paused",
    help: "Whether jobs of the queue may not begin (1) or may (0).",
    labels: ["queue"],
    by: API,
    alike: true,
  },
  oldestWaitingAge: {
    type: "gauge",
    name: "ballast_oldest_waiting_age_seconds",
    help: "For how long the job that begins next could have begun; 0 if none waits.",
    labels: ["queue"],
    by: API,
    alike: true,
  },
  overdueDelayedAge: {
    type: "gauge",
    name: "ballast_overdue_delayed_age_seconds",
    help: "For how long a delayed job has been due and is still put off; 0 if none is.",
    labels: ["queue"],
    by: API,
    alike: true,
  },
  engineMemoryShare: {
    type: "gauge",
    name: "ballast_engine_memory_share",
    help: "Part of the memory used that the queue engine may use, from 0 to 1; absent where it has no bound.",
    labels: [],
    by: API,
    alike: true,
  },
  engineUnfit: {
    type: "gauge",
    name: "ballast_engine_unfit",
    help: "Whether the queue engine would drop jobs by itself (1) or not (0).",
    labels: [],
    by: API,
    alike: true,
  },
  reminderOverdue: {
    type: "gauge",
    name: "ballast_reminder_overdue_age_seconds",
    help: "For how long the payment reminder that waits longest should have begun.",
    labels: [],
    by: API,
    alike: true,
  },
  scheduleOverdue: {
    type: "gauge",
    name: "ballast_schedule_overdue_age_seconds",
    help: "For how long the schedule that waits longest should have been asked for.",
    labels: [],
    by: API,
    alike: true,
  },
  gateClosed: {
    type: "gauge",
    name: "ballast_gate_closed",
    help: "Whether a remote is not called (1) or called (0).",
    labels: ["kind", "key", "marketplace", "account"],
    by: API,
    alike: true,
  },
  gateRefused: {
    type: "gauge",
    name: "ballast_gate_refused",
    help: "Whether a remote is not called because it refuses our credentials, or we its certificate (1), or not (0).",
    labels: ["kind", "key", "marketplace", "account"],
    by: API,
    alike: true,
  },
  quotaLeft: {
    type: "gauge",
    name: "ballast_quota_left",
    help: "Calls or points that a remote takes now, in its own units.",
    labels: ["kind", "key", "marketplace", "account"],
    by: API,
    alike: true,
  },
  httpRequests: {
    type: "counter",
    name: "ballast_http_requests_total",
    help: "HTTP requests answered, by route pattern.",
    labels: ["method", "route", "status"],
    by: API,
  },
  httpRequestDuration: {
    type: "histogram",
    name: "ballast_http_request_duration_seconds",
    help: "Time from a request's arrival to the end of its answer, by route pattern.",
    labels: ["method", "route"],
    buckets: HTTP_BUCKETS_SECONDS,
    by: API,
  },
  pdfPagesOpen: {
    type: "gauge",
    name: "ballast_pdf_pages_open",
    help: "Browser pages that are rendering now.",
    labels: [],
    by: PDF,
  },
  pdfBrowserRestarts: {
    type: "counter",
    name: "ballast_pdf_browser_restarts_total",
    help: "Starts of a new browser in place of an old one, by reason.",
    labels: ["reason"],
    by: PDF,
  },
  pdfRefusedRequests: {
    type: "counter",
    name: "ballast_pdf_refused_requests_total",
    help: "Requests of documents being rendered that were refused, by URL scheme.",
    labels: ["scheme"],
    by: PDF,
  },
  pdfRenderedPages: {
    type: "counter",
    name: "ballast_pdf_rendered_pages_total",
    help: "Pages of the documents rendered.",
    labels: [],
    by: PDF,
  },
  mails: {
    type: "counter",
    name: "ballast_mails_total",
    help: "Mails handed to the mail server, by what it answered.",
    labels: ["result"],
    by: MAIL,
  },
  smtpConnections: {
    type: "gauge",
    name: "ballast_smtp_connections",
    help: "Connections to the mail server, by state.",
    labels: ["state"],
    by: MAIL,
  },
  marketplaceCalls: {
    type: "counter",
    name: "ballast_marketplace_calls_total",
    help: "Calls to marketplaces, by the status of their answer or the code of what came instead.",
    labels: ["marketplace", "status"],
    by: SYNC,
  },
  stockItems: {
    type: "counter",
    name: "ballast_stock_items_total",
    help: "Items told to marketplaces, by what became of them.",
    labels: ["marketplace", "outcome"],
    by: SYNC,
  },
  stockDrift: {
    type: "counter",
    name: "ballast_stock_drift_total",
    help: "Items found to differ from what a marketplace holds, by how and by what was done about it.",
    labels: ["marketplace", "drift", "action"],
    by: SYNC,
  },
  deadLetters: {
    type: "gauge",
    name: "ballast_dead_letters",
    help: "Letters of dead runs that are kept, by what was decided.",
    labels: ["queue", "state"],
    by: NOTIFIER,
    alike: true,
  },
  incidents: {
    type: "gauge",
    name: "ballast_incidents",
    help: "Incidents, by state.",
    labels: ["state"],
    by: NOTIFIER,
    alike: true,
  },
  alerts: {
    type: "counter",
    name: "ballast_alerts_total",
    help: "Alerts handed to a channel, by what became of it: sent, or the code of what went wrong; withheld where alerts themselves died.",
    labels: ["channel", "result"],
    by: NOTIFIER,
  },
  ready: {
    type: "gauge",
    name: "ballast_ready",
    help: "Whether what this process needs before it takes work answers: 1 or 0 for each check of /readyz.",
    labels: ["check"],
    by: EVERYONE,
  },
  traceSpans: {
    type: "counter",
    name: "ballast_trace_spans_total",
    help: "Spans of traces, by what became of them: sent to the collector, or dropped.",
    labels: ["result"],
    by: EVERYONE,
  },
} as const satisfies Readonly<Record<string, Declaration>>;

/** Every metric of ours, in the order of the list. */
export const declaredMetrics: readonly Declaration[] = Object.values(metricList);

/** What `/metrics` says of it. */
export const helpOf = ({ help, alike }: Declaration): string =>
  alike ? `${help} Replicas tell the same, so take the max.` : help;
