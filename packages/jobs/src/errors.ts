interface ErrorOptions {
  readonly cause?: unknown;
}

interface WaitOptions extends ErrorOptions {
  /** How long to stay away, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** An error with a stable, snake_case `code`, which labels metrics; so keep codes few. */
export abstract class JobError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
  }
}

/** This job may work later: retried with backoff until its attempts run out. */
export class TransientError extends JobError {}

/** This job can never work: bad payload, refused for good, record gone. Dead at once. */
export class PermanentError extends JobError {}

/** A thing many jobs need is away: nobody's attempt is spent, the job waits for `retryAfterMs`. */
export class DependencyDownError extends JobError {
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, options: WaitOptions = {}) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The other side asked us to wait for `retryAfterMs`; honoured to the millisecond, attempts unspent. */
export class RateLimitedError extends JobError {
  readonly retryAfterMs: number;

  constructor(
    code: string,
    message: string,
    options: WaitOptions & { readonly retryAfterMs: number },
  ) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Anything thrown, as an error with a code; BullMQ leaves a job active for ever when `undefined` is thrown. */
export function asJobError(thrown: unknown): JobError {
  if (thrown instanceof JobError) return thrown;
  if (thrown instanceof Error) {
    const error = new TransientError("unexpected_error", thrown.message || thrown.name, {
      cause: thrown,
    });
    if (thrown.stack !== undefined) error.stack = thrown.stack;
    return error;
  }
  return new TransientError(
    "unexpected_error",
    `a handler threw ${String(thrown)}, which is no Error`,
  );
}
