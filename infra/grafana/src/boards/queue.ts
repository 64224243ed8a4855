import type { Board } from "../board.ts";
import { figure, graph, timeline } from "../panels.ts";

const quantiles = (metric: string) =>
  [0.5, 0.95, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le) (rate(${metric}_bucket{queue="$queue"}[$__rate_interval])))`,
    legend: `${quantile * 100} of 100`,
  }));

export const queue: Board = {
  uid: "ballast-queue",
  title: "Ballast: queue",
  says: "One queue: what it holds, how late it is, who serves it, and what becomes of its jobs.",
  pick: [{ label: "queue", of: "bullmq_job_count" }],
  rows: [
    {
      title: "Now",
      panels: [
        figure({
          title: "Waiting",
          says: "Waiting and prioritized jobs.",
          width: 3,
          query: 'queue:jobs_waiting:max{queue="$queue"}',
        }),
        figure({
          title: "Running",
          says: "Jobs that a worker holds.",
          width: 3,
          query: 'sum(max by (state) (bullmq_job_count{queue="$queue", state="active"}))',
        }),
        figure({
          title: "Put off",
          says: "Delayed jobs: due later, backing off, or postponed.",
          width: 3,
          query: 'sum(max by (state) (bullmq_job_count{queue="$queue", state="delayed"}))',
        }),
        figure({
          title: "Paused",
          says: "Whether an operator lets no job of the queue begin.",
          width: 3,
          query: 'max by (queue) (ballast_queue_paused{queue="$queue"})',
          words: ["no", "yes"],
          warnAt: 1,
        }),
        figure({
          title: "Age of what begins next",
          says: "For how long the job at the head could have begun.",
          width: 4,
          unit: "s",
          query: 'queue:head_age_seconds:max{queue="$queue"}',
          warnAt: 60,
          badAt: 300,
        }),
        figure({
          title: "Workers served",
          says: "Those that the queue gave a job or a canary in the last three minutes; unknown if there are none.",
          width: 4,
          query: 'ballast_queue_workers{queue="$queue"}',
        }),
        figure({
          title: "Completed, of attempts that ended",
          says: "In the last hour, of those that completed, were tried again or died.",
          width: 4,
          unit: "percentunit",
          query:
            'sum(increase(ballast_attempts_total{queue="$queue", outcome="completed"}[1h])) / sum(increase(ballast_attempts_total{queue="$queue", outcome=~"completed|retry|dead"}[1h]))',
        }),
      ],
    },
    {
      title: "What it holds",
      panels: [
        graph({
          title: "Jobs by state",
          says: "As the queue engine counts them, and beside it the bulk work that waits for room there, counted up to 10,000.",
          width: 12,
          queries: [
            {
              expr: 'max by (state) (bullmq_job_count{queue="$queue"})',
              legend: "{{state}}",
            },
            {
              expr: 'max by (queue) (ballast_outbox_bulk_pending{queue="$queue"})',
              legend: "bulk, not handed over",
            },
          ],
        }),
        graph({
          title: "How late it is",
          says: "The head of the queue, delayed jobs that nobody promotes, and bulk work that waits for room.",
          width: 12,
          unit: "s",
          queries: [
            { expr: 'queue:head_age_seconds:max{queue="$queue"}', legend: "begins next" },
            {
              expr: 'max by (queue) (ballast_overdue_delayed_age_seconds{queue="$queue"})',
              legend: "delayed and overdue",
            },
            {
              expr: 'max by (queue) (ballast_outbox_bulk_oldest_pending_age_seconds{queue="$queue"})',
              legend: "bulk, not handed over",
            },
          ],
        }),
        graph({
          title: "In and out",
          says: "Runs handed over by the outbox, and attempts that ended for good. Jobs that other teams add come in unseen.",
          width: 12,
          unit: "ops",
          queries: [
            {
              expr: 'sum(rate(ballast_dispatched_total{queue="$queue"}[$__rate_interval]))',
              legend: "handed over",
            },
            {
              expr: 'sum(rate(ballast_attempts_total{queue="$queue", outcome=~"completed|dead|cancelled"}[$__rate_interval]))',
              legend: "over",
            },
          ],
        }),
        graph({
          title: "Dead letters",
          says: "Those that are kept, by what was decided about them.",
          width: 12,
          queries: [
            {
              expr: 'max by (state) (ballast_dead_letters{queue="$queue"})',
              legend: "{{state}}",
            },
          ],
        }),
      ],
    },
    {
      title: "What becomes of its jobs",
      panels: [
        graph({
          title: "Attempts by outcome",
          says: "Postponed and interrupted attempts cost a job nothing.",
          width: 12,
          unit: "ops",
          queries: [
            {
              expr: 'sum by (outcome) (rate(ballast_attempts_total{queue="$queue"}[$__rate_interval]))',
              legend: "{{outcome}}",
            },
          ],
        }),
        graph({
          title: "Errors by code",
          says: "Why attempts did not complete.",
          width: 12,
          unit: "ops",
          queries: [
            {
              expr: 'sum by (job, code) (rate(ballast_errors_total{queue="$queue"}[$__rate_interval]))',
              legend: "{{job}} {{code}}",
            },
          ],
        }),
        graph({
          title: "Wait before an attempt",
          says: "Time between the moment it could have started and its start.",
          width: 8,
          unit: "s",
          queries: quantiles("ballast_wait_duration_seconds"),
        }),
        graph({
          title: "Time of an attempt",
          says: "From its start to its outcome.",
          width: 8,
          unit: "s",
          queries: quantiles("ballast_attempt_duration_seconds"),
        }),
        graph({
          title: "Time of an attempt by job, 95 of 100",
          says: "Which of the queue's jobs takes long.",
          width: 8,
          unit: "s",
          queries: [
            {
              expr: 'histogram_quantile(0.95, sum by (le, job) (rate(ballast_attempt_duration_seconds_bucket{queue="$queue"}[$__rate_interval])))',
              legend: "{{job}}",
            },
          ],
        }),
      ],
    },
    {
      title: "Who serves it",
      panels: [
        graph({
          title: "Time since a worker was served",
          says: "A worker that is connected and never given a job or a canary counts as dead after three minutes.",
          width: 12,
          unit: "s",
          queries: [
            {
              expr: 'max by (app, instance) (ballast_canary_age_seconds{queue="$queue"})',
              legend: "{{app}} {{instance}}",
            },
          ],
        }),
        timeline({
          title: "Scraped",
          says: "Whether the processes that serve the queue answer.",
          width: 6,
          query: {
            expr: 'max by (instance) (1 - up{job="ballast"} and on (instance) max_over_time(ballast_canary_age_seconds{queue="$queue"}[$__range]))',
            legend: "{{instance}}",
          },
          good: "answers",
          bad: "silent",
        }),
        graph({
          title: "Jobs taken back",
          says: "From workers that stopped renewing their locks, in 15 minutes.",
          width: 6,
          queries: [
            {
              expr: 'sum by (instance) (increase(ballast_stalls_total{queue="$queue"}[15m]))',
              legend: "noticed by {{instance}}",
            },
          ],
        }),
      ],
    },
  ],
};
