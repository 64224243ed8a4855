/** SQLSTATE of an error thrown by pg, e.g. `23505`; `undefined` for anything else. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether `error` says that a row with the same key exists; of `constraint` alone, if given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (sqlState(error) !== "23505") return false;
  return (
    constraint === undefined ||
    (error instanceof Error && "constraint" in error && error.constraint === constraint)
  );
}

/** Connection refused, reset or timed out; or PostgreSQL is starting, stopping or full. */
const AWAY = /^(ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|08|57P0|53300)/;
/** Of pg and its pool, which give these no code; the last after a connection broke between two statements. */
const AWAY_WORDS =
  /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error)/;

/** Whether PostgreSQL was not there to answer: what was asked may work as soon as it is. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? error.code : undefined;
  return (typeof code === "string" && AWAY.test(code)) || AWAY_WORDS.test(error.message);
}

/** A migration changed the columns that a prepared statement answers with. */
export const isPlanOutdated = (error: unknown): boolean =>
  sqlState(error) === "0A000" &&
  (error as { routine?: unknown }).routine === "RevalidateCachedQuery";

/** It would succeed if tried again: serialization failure, deadlock, or a plan from before a migration. */
export const isRetryable = (error: unknown): boolean =>
  ["40001", "40P01"].includes(sqlState(error) ?? "") || isPlanOutdated(error);
