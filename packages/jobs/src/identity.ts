import { randomBytes } from "node:crypto";

/** A UUID that sorts by time (RFC 9562, version 7). */
export function uuidv7(now: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * The engine's job id as the journal knows it. The numbers BullMQ makes up start again at 1 when its
 * store is wiped, so such a job is also known by when it was added.
 */
export const journalId = (engineJobId: string, createdAt: Date): string =>
  /^\d+$/.test(engineJobId) ? `${engineJobId}@${createdAt.getTime()}` : engineJobId;

/** The id under which the engine knows a journal's job. */
export const engineId = (journalled: string): string => journalled.replace(/^(\d+)@\d+$/, "$1");
