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

/** The transaction met another one and would succeed if tried again: serialization failure or deadlock. */
export const isRetryable = (error: unknown): boolean =>
  ["40001", "40P01"].includes(sqlState(error) ?? "");
