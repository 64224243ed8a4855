/** SQLSTATE of a connection that broke or was refused, of a server that stops or starts, of one that is full. */
const SQL_STATES = /^(08[0-9A-Z]{3}|57P0[123]|53300)$/;
/** No connection was made, so nothing was asked of the other side. */
const NEVER_CONNECTED: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** What pg says where it gives neither a class nor a code. */
const PG_WORDS: ReadonlySet<string> = new Set([
  "Client has encountered a connection error and is not queryable",
  "Connection terminated unexpectedly",
  "Connection terminated due to connection timeout",
  "timeout exceeded when trying to connect",
]);
/** Causes may go round in a circle. */
const DEEPEST = 8;

/**
 * Whether an error, or one that caused it, says that something many jobs need is away: PostgreSQL, a
 * host that takes no connection, or whatever carries `dependencyDown: true`, by which a package that
 * knows nothing of jobs says so.
 */
export function isUnreachable(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > DEEPEST) return false;
  const { code, syscall, dependencyDown } = error as unknown as Partial<Record<string, unknown>>;
  return (
    dependencyDown === true ||
    NEVER_CONNECTED.has(code) ||
    (code === "ETIMEDOUT" && syscall === "connect") ||
    (typeof code === "string" && SQL_STATES.test(code)) ||
    PG_WORDS.has(error.message) ||
    (error instanceof AggregateError &&
      error.errors.some((one) => isUnreachable(one, depth + 1))) ||
    isUnreachable(error.cause, depth + 1)
  );
}
