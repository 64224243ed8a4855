import { Counter, collectDefaultMetrics, Gauge, Histogram, type Registry } from "prom-client";

/** From a query of milliseconds to the longest attempt a contract allows. */
const ATTEMPT_BUCKETS_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
];
/** From an idle queue to one that waited through a night. */
const WAIT_BUCKETS_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400];
const OUTBOX_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 3_600];
const HTTP_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export type Metrics = ReturnType<typeof declareMetrics>;

/**
 * Declare every metric of every process on `registry`, besides Node's own (CPU, memory, event-loop lag).
 *
 * One list for all, so names, labels and help texts cannot drift apart. Labels take few, known
 * values: a job id, customer or address belongs in the log.
 */
export function declareMetrics(registry: Registry) {
  collectDefaultMetrics({ register: registry });
  const registers = [registry];

  return {
    attempts: new Counter({
      name: "ballast_attempts_total",
      help: "Attempts that ended, by what became of them.",
      labelNames: ["queue", "job", "outcome"],
      registers,
    }),
    errors: new Counter({
      name: "ballast_errors_total",
      help: "Attempts that ended with an error, by its code.",
      labelNames: ["queue", "job", "code"],
      registers,
    }),
    attemptDuration: new Histogram({
      name: "ballast_attempt_duration_seconds",
      help: "Time an attempt took, from its start to its outcome.",
      labelNames: ["queue", "job"],
      buckets: ATTEMPT_BUCKETS_SECONDS,
      registers,
    }),
    waitDuration: new Histogram({
      name: "ballast_wait_duration_seconds",
      help: "Time between the moment an attempt could have started and its start.",
      labelNames: ["queue", "job"],
      buckets: WAIT_BUCKETS_SECONDS,
      registers,
    }),
    stalls: new Counter({
      name: "ballast_stalls_total",
      help: "Jobs taken back from a worker that stopped renewing its lock.",
      labelNames: ["queue"],
      registers,
    }),
    canaryAge: new Gauge({
      name: "ballast_canary_age_seconds",
      help: "Time since this process was last given a job or a canary by its queue.",
      labelNames: ["queue"],
      registers,
    }),
    dispatched: new Counter({
      name: "ballast_dispatched_total",
      help: "Runs handed from the outbox to the queue engine.",
      labelNames: ["queue"],
      registers,
    }),
    outboxLag: new Histogram({
      name: "ballast_outbox_lag_seconds",
      help: "Age of the oldest run of each batch when it was handed to the queue engine.",
      buckets: OUTBOX_BUCKETS_SECONDS,
      registers,
    }),
    outboxPending: absentUntilSet(
      new Gauge({
        name: "ballast_outbox_pending",
        help: "Due runs that are committed and not yet handed to the queue engine.",
        registers,
      }),
    ),
    outboxOldestAge: absentUntilSet(
      new Gauge({
        name: "ballast_outbox_oldest_pending_age_seconds",
        help: "How long the oldest run that is due has waited to be handed over; 0 if there is none.",
        registers,
      }),
    ),
    jobCount: new Gauge({
      name: "bullmq_job_count",
      help: "Jobs in the queue engine, by state; every API replica exports the same, so take the max.",
      labelNames: ["queue", "state"],
      registers,
    }),
    oldestWaitingAge: new Gauge({
      name: "ballast_oldest_waiting_age_seconds",
      help: "For how long the job that begins next could have begun, 0 if none waits; every API replica exports the same, so take the max.",
      labelNames: ["queue"],
      registers,
    }),
    overdueDelayedAge: new Gauge({
      name: "ballast_overdue_delayed_age_seconds",
      help: "For how long a delayed job has been due and is still put off, 0 if none is; every API replica exports the same, so take the max.",
      labelNames: ["queue"],
      registers,
    }),
    engineMemoryShare: absentUntilSet(
      new Gauge({
        name: "ballast_engine_memory_share",
        help: "Part of the memory used that the queue engine may use, from 0 to 1; every API replica exports the same, so take the max.",
        registers,
      }),
    ),
    engineUnfit: absentUntilSet(
      new Gauge({
        name: "ballast_engine_unfit",
        help: "Whether the queue engine would drop jobs by itself (1) or not (0); every API replica exports the same, so take the max.",
        registers,
      }),
    ),
    reminderOverdue: absentUntilSet(
      new Gauge({
        name: "ballast_reminder_overdue_age_seconds",
        help: "For how long the payment reminder that waits longest should have begun; every API replica exports the same, so take the max.",
        registers,
      }),
    ),
    httpRequests: new Counter({
      name: "ballast_http_requests_total",
      help: "HTTP requests answered, by route pattern.",
      labelNames: ["method", "route", "status"],
      registers,
    }),
    httpRequestDuration: new Histogram({
      name: "ballast_http_request_duration_seconds",
      help: "Time from a request's arrival to the end of its answer, by route pattern.",
      labelNames: ["method", "route"],
      buckets: HTTP_BUCKETS_SECONDS,
      registers,
    }),
    pdfPagesOpen: absentUntilSet(
      new Gauge({
        name: "ballast_pdf_pages_open",
        help: "Browser pages that are rendering now.",
        registers,
      }),
    ),
    pdfBrowserRestarts: new Counter({
      name: "ballast_pdf_browser_restarts_total",
      help: "Starts of a new browser in place of an old one, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    pdfRefusedRequests: new Counter({
      name: "ballast_pdf_refused_requests_total",
      help: "Requests of documents being rendered that were refused, by URL scheme.",
      labelNames: ["scheme"],
      registers,
    }),
    pdfRenderedPages: new Counter({
      name: "ballast_pdf_rendered_pages_total",
      help: "Pages of the documents rendered.",
      registers,
    }),
    mails: new Counter({
      name: "ballast_mails_total",
      help: "Mails handed to the mail server, by what it answered.",
      labelNames: ["result"],
      registers,
    }),
    gateClosed: new Gauge({
      name: "ballast_gate_closed",
      help: "Whether a remote is not called (1) or called (0); every API replica exports the same, so take the max.",
      labelNames: ["kind", "key", "marketplace", "account"],
      registers,
    }),
    quotaLeft: new Gauge({
      name: "ballast_quota_left",
      help: "Calls or points that a remote takes now, in its own units; every API replica exports the same, so take the max.",
      labelNames: ["kind", "key", "marketplace", "account"],
      registers,
    }),
    scheduleOverdue: new Gauge({
      name: "ballast_schedule_overdue_age_seconds",
      help: "For how long the schedule that waits longest should have been asked for; every API replica exports the same, so take the max.",
      registers,
    }),
    marketplaceCalls: new Counter({
      name: "ballast_marketplace_calls_total",
      help: "Calls to marketplaces, by the status of their answer or the code of what came instead.",
      labelNames: ["marketplace", "status"],
      registers,
    }),
    stockItems: new Counter({
      name: "ballast_stock_items_total",
      help: "Items told to marketplaces, by what became of them.",
      labelNames: ["marketplace", "outcome"],
      registers,
    }),
    stockDrift: new Counter({
      name: "ballast_stock_drift_total",
      help: "Items found to differ from what a marketplace holds, by how and by what was done about it.",
      labelNames: ["marketplace", "drift", "action"],
      registers,
    }),
    deadLetters: new Gauge({
      name: "ballast_dead_letters",
      help: "Letters of dead runs that are kept, by what was decided; from one process of all.",
      labelNames: ["queue", "state"],
      registers,
    }),
    incidents: new Gauge({
      name: "ballast_incidents",
      help: "Incidents, by state; from one process of all.",
      labelNames: ["state"],
      registers,
    }),
    alerts: new Counter({
      name: "ballast_alerts_total",
      help: "Alerts handed to a channel, by what became of it: sent, or the code of what went wrong; withheld where alerts themselves died.",
      labelNames: ["channel", "result"],
      registers,
    }),
    smtpConnections: new Gauge({
      name: "ballast_smtp_connections",
      help: "Connections to the mail server, by state.",
      labelNames: ["state"],
      registers,
    }),
  };
}

/** Drop the 0 a new gauge starts with: a process that never measures it must not report it. */
function absentUntilSet(gauge: Gauge): Gauge {
  gauge.remove();
  return gauge;
}
