/** What the engine kept of a death's error. */
export interface Reason {
  readonly code: string | null;
  readonly message: string | null;
}

/** A worker's words are `code: message`; BullMQ's own have no code. */
export function reasonOf(failedReason: string | null): Reason {
  const [, code, message] = /^([a-z][a-z0-9_]*): (.*)$/s.exec(failedReason ?? "") ?? [];
  if (code !== undefined) return { code, message: message ?? null };
  const isStall = /^job stalled more than allowable limit/.test(failedReason ?? "");
  return { code: isStall ? "stalled_too_often" : null, message: failedReason };
}
