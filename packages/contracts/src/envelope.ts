import { z } from "zod";
import type { AnyJob, PayloadInput } from "./job.ts";

/** Facts about a job that are not its work. All optional; other teams may send none. */
export const EnvelopeMeta = z.object({
  /** Becomes the job's id in the engine and its `/v1/jobs/{id}`; adding it twice is harmless. */
  requestId: z.uuid().optional(),
  companyId: z.uuid().toLowerCase().optional(),
  /** The business thing this is about, as `kind:id`, e.g. `invoice:0190…`. */
  subject: z.string().max(200).optional(),
  requestedBy: z.string().max(200).optional(),
  /** W3C Trace Context. */
  traceparent: z.string().max(55).optional(),
  /** After this moment the work is no longer wanted. ISO 8601 with offset. */
  deadline: z.iso.datetime({ offset: true }).optional(),
});
export type EnvelopeMeta = z.output<typeof EnvelopeMeta>;

/** The shape of `job.data`. Unknown fields are ignored, so that newer producers reach older workers. */
export const Envelope = z.object({
  /** A whole number from 1; the upper end is what a column of PostgreSQL holds. */
  v: z.int().min(1).max(2_147_483_647),
  payload: z.record(z.string(), z.unknown()),
  meta: EnvelopeMeta.optional(),
});
export type Envelope = z.output<typeof Envelope>;

/** A payload that breaks its contract; `message` names every bad field. */
export class ContractError extends Error {
  override readonly name = "ContractError";
  readonly issues: ReadonlyArray<{ readonly path: string; readonly message: string }>;

  constructor(job: AnyJob, error: z.ZodError) {
    const issues = error.issues.map((issue) => ({
      path: issue.path.join(".") || "(payload)",
      message: issue.message,
    }));
    const list = issues.map(({ path, message }) => `${path}: ${message}`).join("; ");
    super(`payload of ${job.name} v${job.version} breaks its contract: ${list}`);
    this.issues = issues;
  }
}

/** @throws {ContractError} naming every bad field */
export function parsePayload<Job extends AnyJob>(
  job: Job,
  payload: unknown,
): z.output<Job["payload"]> {
  const parsed = job.payload.safeParse(payload);
  if (!parsed.success) throw new ContractError(job, parsed.error);
  return parsed.data as z.output<Job["payload"]>;
}

/** What `queue.add(name, data, opts)` or one element of `queue.addBulk` takes. */
export interface BullmqJob {
  readonly name: string;
  readonly data: {
    readonly v: number;
    readonly payload: Record<string, unknown>;
    readonly meta?: EnvelopeMeta;
  };
  readonly opts: {
    readonly jobId?: string;
    readonly attempts: number;
    readonly backoff: { readonly type: string; readonly delay: number; readonly jitter?: number };
    readonly priority?: number;
  };
}

/**
 * Turn a payload into what plain BullMQ enqueues. Pure: it opens no connection.
 *
 * @throws {ContractError} if the payload breaks the contract
 */
export function toBullmq<Job extends AnyJob>(
  job: Job,
  payload: PayloadInput<Job>,
  meta: EnvelopeMeta = {},
): BullmqJob {
  const checked = parsePayload(job, payload) as Record<string, unknown>;
  const known = EnvelopeMeta.parse(meta);
  const subject = known.subject ?? job.subject?.(checked);
  const stamped = { ...known, ...(subject === undefined ? {} : { subject }) };
  return {
    name: job.name,
    data: {
      v: job.version,
      payload: checked,
      ...(Object.keys(stamped).length > 0 ? { meta: stamped } : {}),
    },
    opts: {
      ...(stamped.requestId === undefined ? {} : { jobId: stamped.requestId }),
      attempts: job.attempts,
      backoff: {
        type: job.backoff.type,
        delay: job.backoff.delayMs,
        ...(job.backoff.jitter > 0 ? { jitter: job.backoff.jitter } : {}),
      },
      ...(job.priority > 0 ? { priority: job.priority } : {}),
    },
  };
}
