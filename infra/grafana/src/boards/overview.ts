import type { Board } from "../board.ts";
import { figure, graph, table } from "../panels.ts";

/** A count of 0 as long as an app answers: where nobody counts, nothing is known. */
const orNoneWhile = (app: string, expr: string) =>
  `${expr} or on () 0 * max(up{job="ballast", app="${app}"} == 1)`;

export const overview: Board = {
  uid: "ballast-overview",
  title: "Ballast: overview",
  says: "Is anything wrong? Green figures: no. Each alert that fires is listed with its runbook's name.",
  rows: [
    {
      title: "Is anything wrong?",
      panels: [
        figure({
          title: "Alerts firing",
          says: "Of any severity, as Prometheus evaluates them.",
          width: 3,
          query: 'count(ALERTS{alertstate="firing"}) or on () 0 * max(up{job="ballast"})',
          badAt: 1,
        }),
        figure({
          title: "Processes silent",
          says: "Replicas that Prometheus knows of and cannot scrape.",
          width: 3,
          query: 'count(up{job="ballast"} == 0) or on () 0 * max(up{job="ballast"})',
          badAt: 1,
        }),
        figure({
          title: "Queues nobody serves",
          says: "Work waits there, nobody paused it, and no worker was given a job or a canary.",
          width: 3,
          query: orNoneWhile(
            "api",
            "count(queue:jobs_waiting:max > 0 unless on (queue) ballast_queue_workers > 0 unless on (queue) queue:set_aside:max)",
          ),
          badAt: 1,
        }),
        figure({
          title: "Longest wait",
          says: "For how long the next job of the slowest queue could have begun; of queues that are not paused.",
          width: 3,
          unit: "s",
          query: "max(queue:head_age_seconds:max unless on (queue) queue:set_aside:max)",
          warnAt: 60,
          badAt: 300,
        }),
        figure({
          title: "Outbox waits",
          says: "For how long the oldest accepted run has not been handed to the queue engine.",
          width: 3,
          unit: "s",
          query: "max by () (ballast_outbox_oldest_pending_age_seconds)",
          warnAt: 30,
          badAt: 120,
        }),
        figure({
          title: "Open dead letters",
          says: "Jobs that died and about which nobody has decided.",
          width: 3,
          query: orNoneWhile(
            "dlq-notifier",
            'sum(max by (queue) (ballast_dead_letters{state="open"}))',
          ),
          warnAt: 1,
          badAt: 100,
        }),
        figure({
          title: "Remotes not called",
          says: "Gates that are closed: marketplaces, mail servers, stores, alert channels, trackers.",
          width: 3,
          query: orNoneWhile(
            "api",
            "sum(max by (kind, key, marketplace, account) (ballast_gate_closed))",
          ),
          warnAt: 1,
        }),
        figure({
          title: "Redis memory",
          says: "Part of maxmemory that is used; unknown where there is no bound, or where PostgreSQL is the engine.",
          width: 3,
          unit: "percentunit",
          query: "max by () (ballast_engine_memory_share)",
          warnAt: 0.6,
          badAt: 0.75,
        }),
        table({
          title: "What fires",
          says: "The name of an alert is that of its page in infra/runbooks.",
          width: 24,
          query: 'ALERTS{alertstate="firing"}',
          columns: [
            "severity",
            "alertname",
            "app",
            "instance",
            "queue",
            "job",
            "code",
            "channel",
            "kind",
            "account",
          ],
        }),
      ],
    },
    {
      title: "Work",
      panels: [
        graph({
          title: "Jobs waiting",
          says: "Waiting and prioritized jobs of each queue.",
          width: 8,
          queries: [{ expr: "queue:jobs_waiting:max", legend: "{{queue}}" }],
        }),
        graph({
          title: "Age of what begins next",
          says: "For how long the job at the head of each queue could have begun.",
          width: 8,
          unit: "s",
          queries: [{ expr: "queue:head_age_seconds:max", legend: "{{queue}}" }],
        }),
        graph({
          title: "Workers served",
          says: "Workers whose queue gave them a job or a canary in the last three minutes.",
          width: 8,
          queries: [{ expr: "ballast_queue_workers", legend: "{{queue}}" }],
        }),
        graph({
          title: "Attempts by outcome",
          says: "What becomes of attempts, of all queues.",
          width: 8,
          unit: "ops",
          queries: [
            {
              expr: "sum by (outcome) (rate(ballast_attempts_total[$__rate_interval]))",
              legend: "{{outcome}}",
            },
          ],
        }),
        graph({
          title: "Errors by code",
          says: "Why attempts did not complete, the ten most frequent.",
          width: 8,
          unit: "ops",
          queries: [
            {
              expr: "topk(10, sum by (queue, code) (rate(ballast_errors_total[$__rate_interval])))",
              legend: "{{queue}} {{code}}",
            },
          ],
        }),
        graph({
          title: "Wait before an attempt, 95 of 100",
          says: "What users feel: time between the moment an attempt could have started and its start.",
          width: 8,
          unit: "s",
          queries: [
            {
              expr: "histogram_quantile(0.95, sum by (le, queue) (rate(ballast_wait_duration_seconds_bucket[$__rate_interval])))",
              legend: "{{queue}}",
            },
          ],
        }),
      ],
    },
    {
      title: "Requests",
      panels: [
        graph({
          title: "HTTP requests by status",
          says: "Answers of all api replicas.",
          width: 8,
          unit: "reqps",
          queries: [
            {
              expr: "sum by (status) (rate(ballast_http_requests_total[$__rate_interval]))",
              legend: "{{status}}",
            },
          ],
        }),
        graph({
          title: "Time to answer",
          says: "Of all routes but streams of events, which last as long as somebody listens.",
          width: 8,
          unit: "s",
          queries: [0.5, 0.95, 0.99].map((quantile) => ({
            expr: `histogram_quantile(${quantile}, sum by (le) (rate(ballast_http_request_duration_seconds_bucket{route!~".*/events"}[$__rate_interval])))`,
            legend: `${quantile * 100} of 100`,
          })),
        }),
        graph({
          title: "From commit to queue",
          says: "Age of the oldest run of each batch when it was handed to the queue engine.",
          width: 8,
          unit: "s",
          queries: [0.5, 0.99].map((quantile) => ({
            expr: `histogram_quantile(${quantile}, sum by (le) (rate(ballast_outbox_lag_seconds_bucket[$__rate_interval])))`,
            legend: `${quantile * 100} of 100`,
          })),
        }),
      ],
    },
    {
      title: "Processes",
      panels: [
        graph({
          title: "Replicas that answer",
          says: "By app, as Prometheus scrapes them.",
          width: 6,
          queries: [{ expr: 'sum by (app) (up{job="ballast"})', legend: "{{app}}" }],
        }),
        graph({
          title: "Processors used",
          says: "Seconds of processor time a second, of all replicas; Chromium counts for itself and is not in here.",
          width: 6,
          queries: [
            {
              expr: "sum by (app) (rate(process_cpu_seconds_total[$__rate_interval]))",
              legend: "{{app}}",
            },
          ],
        }),
        graph({
          title: "Memory of the largest replica",
          says: "Resident memory; Chromium counts for itself and is not in here.",
          width: 6,
          unit: "bytes",
          queries: [{ expr: "max by (app) (process_resident_memory_bytes)", legend: "{{app}}" }],
        }),
        graph({
          title: "Lag of the event loop, 99 of 100",
          says: "Above a second, locks are renewed late and jobs stall.",
          width: 6,
          unit: "s",
          queries: [{ expr: "max by (app) (nodejs_eventloop_lag_p99_seconds)", legend: "{{app}}" }],
        }),
      ],
    },
  ],
};
