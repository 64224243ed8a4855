import { InvalidObjectKeyError, ObjectNotFoundError, StoreUnavailableError } from "./errors.ts";

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;

/** Name what a system call threw; errors of ours and aborts pass as they are. */
export function asFileError(thrown: unknown, folder: string, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason;
  const ours = [InvalidObjectKeyError, ObjectNotFoundError, StoreUnavailableError, RangeError];
  if (ours.some((known) => thrown instanceof known)) return thrown;
  const code = codeOf(thrown);
  if (code === undefined) return thrown;
  return new StoreUnavailableError(
    code,
    `the document folder ${folder} cannot be used (${code}): let this process write there, and see that it is mounted and has room`,
    { cause: thrown },
  );
}
