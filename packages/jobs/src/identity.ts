import { createHash, randomUUID } from "node:crypto";

/** A UUID that sorts by time (RFC 9562, version 7). */
export function uuidv7(now: number = Date.now()): string {
  const time = now.toString(16).padStart(12, "0");
  // All but the time and the version is random in version 4 too, of which Node keeps a store.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** An index of PostgreSQL takes no key of some kilobytes, which BullMQ takes as an id. */
const MAX_ID_LENGTH = 500;

/** What the engine tells of a job without its data. */
export interface JobIdentity {
  readonly engineJobId: string;
  /** As whoever added it set it. */
  readonly createdAt: Date;
  /** This runtime added it, under the id that the journal knows. */
  readonly isOurs: boolean;
}

/**
 * The engine's job id as the journal knows it.
 *
 * BullMQ takes an id again once it has removed the job that had it, and starts its own numbers again at 1
 * when its store is wiped. So a job of another team is also known by when it was added, which never
 * changes, unless its id is its request's: that stands for one wish, however often it is added.
 */
export function journalId(
  { engineJobId, createdAt, isOurs }: JobIdentity,
  requestId?: string,
): string {
  if (isOurs || engineJobId === requestId) return engineJobId;
  const name = unfitId(engineJobId) === undefined ? engineJobId : shortened(engineJobId);
  return `${name}@${createdAt.getTime()}`;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** As the ids of requests are. */
export const isUuid = (id: string): boolean => UUID.test(id);

/** The id and the time that {@link journalId} joined; `undefined` for an id of any other kind. */
export function addedId(journalled: string): { id: string; createdMs: number } | undefined {
  const [, id, createdMs] = /^(.+)@(\d+)$/s.exec(journalled) ?? [];
  return id === undefined ? undefined : { id, createdMs: Number(createdMs) };
}

/** Why the journal cannot keep an id as it is, so that nobody would find its job in the engine again. */
export function unfitId(engineJobId: string): string | undefined {
  if (engineJobId.length > MAX_ID_LENGTH)
    return `its id has ${engineJobId.length} characters, and at most ${MAX_ID_LENGTH} are taken`;
  if (engineJobId.includes("\0") || !engineJobId.isWellFormed())
    return "its id holds characters that no text of PostgreSQL can";
  return undefined;
}

const shortened = (id: string): string =>
  `${id.slice(0, 100).toWellFormed().replaceAll("\0", "\ufffd")}…${createHash("sha256").update(id).digest("hex")}`;
