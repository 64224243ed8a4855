import { createHash, randomUUID } from "node:crypto";

/** A UUID that sorts by time (RFC 9562, version 7). */
export function uuidv7(now: number = Date.now()): string {
  const time = now.toString(16).padStart(12, "0");
  // All but the time and the version is random in version 4 too, of which Node keeps a store.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** An index of PostgreSQL takes no key of some kilobytes, which BullMQ takes as an id. */
const MAX_ID_LENGTH = 200;

/**
 * The engine's job id as the journal knows it. The numbers BullMQ makes up start again at 1 when its
 * store is wiped, so such a job is also known by when it was added.
 */
export function journalId(engineJobId: string, createdAt: Date): string {
  if (/^\d+$/.test(engineJobId)) return `${engineJobId}@${createdAt.getTime()}`;
  if (engineJobId.length <= MAX_ID_LENGTH) return engineJobId;
  return `${engineJobId.slice(0, 100)}…${createHash("sha256").update(engineJobId).digest("hex")}`;
}

/** The number and the time that {@link journalId} joined; `undefined` for an id of any other kind. */
export function numberedId(journalled: string): { id: string; createdMs: number } | undefined {
  const [, id, createdMs] = /^(\d+)@(\d+)$/.exec(journalled) ?? [];
  return id === undefined ? undefined : { id, createdMs: Number(createdMs) };
}
