import { isUnreachable } from "./unreachable.ts";

interface ErrorOptions {
  readonly cause?: unknown;
}

interface WaitOptions extends ErrorOptions {
  /** How long to stay away, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** An error is kept with its attempt for a year; the page of HTML that a remote answered with is not. */
const MAX_MESSAGE_LENGTH = 4_000;
const MAX_STACK_LENGTH = 8_000;

/** An error with a stable, snake_case `code`, which labels metrics; so keep codes few. */
export abstract class JobError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(
      clip(message, MAX_MESSAGE_LENGTH),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
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

/**
 * Anything thrown, as an error with a code; BullMQ leaves a job active for ever when `undefined` is
 * thrown. What a handler classified stays as it is; a dependency that is away is told by its error.
 */
export function asJobError(thrown: unknown): JobError {
  if (thrown instanceof JobError) return thrown;
  if (!(thrown instanceof Error))
    return new TransientError(
      "unexpected_error",
      `a handler threw ${textOf(thrown)}, which is no Error`,
    );
  const message = thrown.message || thrown.name;
  const error = isUnreachable(thrown)
    ? new DependencyDownError("dependency_unreachable", message, { cause: thrown })
    : new TransientError("unexpected_error", message, { cause: thrown });
  if (thrown.stack !== undefined) error.stack = clip(thrown.stack, MAX_STACK_LENGTH);
  return error;
}

function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "something without a text"; // e.g. Object.create(null)
  }
}

const clip = (text: string, maxLength: number): string =>
  text.length <= maxLength
    ? text
    : `${text.slice(0, maxLength)}… and ${text.length - maxLength} characters more`;
