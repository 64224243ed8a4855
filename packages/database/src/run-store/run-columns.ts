import { sql } from "kysely";

/**
 * The request that speaks for run `r` in logs: the oldest that was not cancelled. Were all of them
 * cancelled, it is the oldest, since a run is never without a request.
 */
export const oldestRequest = sql`
  LEFT JOIN LATERAL (
    SELECT q.id, q.requested_by, q.traceparent FROM job_requests q WHERE q.run_id = r.id
    ORDER BY q.cancelled_at IS NOT NULL, q.created_at, q.id LIMIT 1
  ) q ON true`;

/** A `ClaimedRun`, out of run `r` and its request `q`. */
export const claimedRunColumns = sql`
  r.id, r.queue, r.engine_job_id, r.job, r.version, r.payload, r.company_id, r.subject, r.slot,
  r.priority, r.due_at, r.deadline_at, r.held_for, r.created_at,
  q.id AS request_id, q.requested_by, q.traceparent`;

/** A `Run`, out of run `r` and its request `q`. */
export const runColumns = sql`
  r.id, r.job, r.version, r.payload, r.company_id, r.subject, r.slot, r.deadline_at, r.created_at,
  r.attempts_made, q.id AS request_id, q.traceparent`;
