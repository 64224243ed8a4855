import { createHash, randomBytes } from "node:crypto";

/** A UUID that sorts by time (RFC 9562, version 7). */
export function uuidv7(now: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
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
