/** One bad field of a request. */
export interface FieldError {
  /** Where it stands, e.g. `lines.3.quantity`; `(body)` for the whole. */
  readonly path: string;
  readonly message: string;
  /** The bound that was crossed, if there is one. */
  readonly limit?: number;
}

/**
 * Every kind of refusal this API knows: its status, its title, and what to do about it. The code is
 * stable and becomes the problem's `type`; `/problems` prints this table.
 */
export const PROBLEMS = {
  "malformed-request": {
    status: 400,
    title: "The request cannot be read",
    remedy: "`errors` names every parameter that is wrong; a body must be valid JSON.",
  },
  unauthorized: {
    status: 401,
    title: "No valid API key",
    remedy: "Send `Authorization: Bearer bk_…` with a key that was neither revoked nor mistyped.",
  },
  "missing-scope": {
    status: 403,
    title: "The API key may not do this",
    remedy: "Use a key that has the scope named in `detail`.",
  },
  "all-companies-only": {
    status: 403,
    title: "A key of one company may not do this",
    remedy: "Ask an operator with a key of all companies; `detail` says what for.",
  },
  "not-found": {
    status: 404,
    title: "There is no such thing",
    remedy: "Check the id. What belongs to a company your key does not reach answers the same.",
  },
  "no-such-route": {
    status: 404,
    title: "There is no such address",
    remedy: "See `/docs` for every address this API has.",
  },
  "method-not-allowed": {
    status: 405,
    title: "This address has no such method",
    remedy: "The `Allow` header lists the methods it has.",
  },
  "invoice-not-draft": {
    status: 409,
    title: "The invoice is no longer a draft",
    remedy: "An issued invoice never changes: void it and write a new one.",
  },
  "invoice-not-issued": {
    status: 409,
    title: "The invoice is still a draft",
    remedy: "Issue it first: `POST /v1/invoices/{invoiceId}/issue`.",
  },
  "invoice-state": {
    status: 409,
    title: "The invoice's state does not allow this",
    remedy: "`detail` names the state and the states from which this is possible.",
  },
  "invoice-incomplete": {
    status: 422,
    title: "The invoice is not ready to be issued",
    remedy: "`errors` names every field to mend; then issue it again.",
  },
  "no-recipient": {
    status: 409,
    title: "The customer has no mail address",
    remedy: "Give the customer an `email`: `PUT /v1/customers/{customerId}`.",
  },
  "customer-in-use": {
    status: 409,
    title: "The customer cannot be erased yet",
    remedy: "`detail` says what is open: an invoice to be paid or voided, or work that ends soon.",
  },
  "recipient-suppressed": {
    status: 409,
    title: "Mail to this address is suppressed",
    remedy: "Lift the suppression, or give the customer another address.",
  },
  "document-not-rendered": {
    status: 404,
    title: "The PDF was not rendered yet",
    remedy: "Ask for it: `POST /v1/invoices/{invoiceId}/pdf`, then follow its `Location`.",
  },
  "job-over": {
    status: 409,
    title: "The job is over already",
    remedy: "A job that completed, died or was cancelled stays so; ask for a new one.",
  },
  "letter-settled": {
    status: 409,
    title: "The letter was dealt with already",
    remedy: "`detail` says by whom and when; a replay names the job to follow.",
  },
  "incident-state": {
    status: 409,
    title: "The incident's state does not allow this",
    remedy: "`detail` says what it is, and who decided so.",
  },
  "delivery-settled": {
    status: 409,
    title: "What became of the mail is known",
    remedy: "Only a mail whose outcome is unknown is settled; `detail` says how it ended.",
  },
  "not-replayable": {
    status: 422,
    title: "The letter cannot be replayed as it is",
    remedy: "Send an edited `payload` that its contract takes, or discard the letter.",
  },
  "replay-running": {
    status: 409,
    title: "A bulk replay of this queue is under way",
    remedy: "Wait for its end, or cancel it: `POST /v1/replays/{replayId}/cancel`.",
  },
  "run-state": {
    status: 409,
    title: "The invoice run is in another state",
    remedy: "`detail` names the state it is in, and those this needs.",
  },
  "replay-state": {
    status: 409,
    title: "The bulk replay's state does not allow this",
    remedy:
      "One that is under way can be cancelled; one that was stopped or cancelled can be resumed.",
  },
  "account-paused": {
    status: 409,
    title: "The marketplace account is paused",
    remedy: "Let it go on first: `POST /v1/marketplace-accounts/{accountId}/resume`.",
  },
  "still-in-flight": {
    status: 409,
    title: "The first request with this Idempotency-Key is still running",
    remedy: "Ask again with the same key after the seconds in `Retry-After`.",
  },
  "body-too-large": {
    status: 413,
    title: "The body is too large",
    remedy: "Stay below the `limit` in `errors`, in bytes.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The body is not JSON",
    remedy: "Send `Content-Type: application/json`, UTF-8, without or with gzip.",
  },
  "range-not-satisfiable": {
    status: 416,
    title: "The range lies outside of the document",
    remedy: "`Content-Range` names the document's size in bytes.",
  },
  "invalid-body": {
    status: 422,
    title: "The body breaks the schema",
    remedy: "`errors` names every bad field, its limit, and what it must be.",
  },
  "idempotency-key-reused": {
    status: 422,
    title: "This Idempotency-Key was used for another request",
    remedy: "A key names one request, body included: make up a new one.",
  },
  "too-many-requests": {
    status: 429,
    title: "The API key sent too many requests",
    remedy: "Wait for the seconds in `Retry-After`; `RateLimit` tells what is left.",
  },
  "internal-error": {
    status: 500,
    title: "Something went wrong on our side",
    remedy: "Nothing was changed. Ask again, with the same Idempotency-Key if it was a POST.",
  },
  "no-keys": {
    status: 503,
    title: "This API has no key to encrypt credentials with",
    remedy: "Its operator sets `MARKETPLACE_KEYS`; accounts that are there already go on.",
  },
  overloaded: {
    status: 503,
    title: "There is too much work already",
    remedy:
      "Nothing was changed. Ask again after the seconds in `Retry-After`; reads and cancellations are served.",
  },
  unavailable: {
    status: 503,
    title: "A store this API depends on is away",
    remedy: "Nothing was changed. Ask again after the seconds in `Retry-After`.",
  },
} as const satisfies Record<string, { status: number; title: string; remedy: string }>;

export type ProblemCode = keyof typeof PROBLEMS;

interface ProblemOptions {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A refusal that the caller is told of; anything else thrown becomes `internal-error`. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  /** @param detail what failed, with which value, and the remedy; the caller reads it */
  constructor(code: ProblemCode, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }
}

/** The body of a refusal, as RFC 9457 has it. */
export const problemBody = (problem: Problem, instance: string) => ({
  type: `/problems#${problem.code}`,
  title: PROBLEMS[problem.code].title,
  status: problem.status,
  detail: problem.message,
  instance,
  ...(problem.errors === undefined ? {} : { errors: problem.errors }),
});

export const notFound = (kind: string, id: string): Problem =>
  new Problem("not-found", `there is no ${kind} ${id}`);
