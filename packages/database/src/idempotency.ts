import { sql } from "kysely";
import type { Queryable } from "./database.ts";
import { uuidv7 } from "./uuidv7.ts";

export interface IdempotentCall {
  readonly apiKeyId: string;
  /** The caller's Idempotency-Key. */
  readonly key: string;
  readonly method: string;
  readonly path: string;
  /** Of the body as it was received; two calls with one key must agree in it. */
  readonly bodyHash: string;
}

/** Proof that this process handles the call; needed to finish or abandon it. */
export interface IdempotencyClaim {
  readonly apiKeyId: string;
  readonly key: string;
  readonly owner: string;
}

export interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Begun =
  | { readonly kind: "new"; readonly claim: IdempotencyClaim }
  /** Another process works on the first call right now. */
  | { readonly kind: "in_flight" }
  | { readonly kind: "done"; readonly answer: RecordedAnswer }
  /** The key was used for another method, path or body. */
  | { readonly kind: "mismatch" };

/** A process that died cannot finish its call; after this long another may take it over. */
const TAKE_OVER_AFTER_MS = 60_000;
const LIFETIME_HOURS = 48;

/**
 * Begin a call, or learn what became of it.
 *
 * Call {@link finishIdempotent} inside the transaction that makes the call's change: then the change
 * and its answer are kept together, and a call taken over from a dead process has changed nothing.
 */
export async function beginIdempotent(db: Queryable, call: IdempotentCall): Promise<Begun> {
  const owner = uuidv7();
  const claimed = await db
    .insertInto("idempotencyKeys")
    .values({
      apiKeyId: call.apiKeyId,
      key: call.key,
      owner,
      method: call.method,
      path: call.path,
      bodyHash: call.bodyHash,
    })
    .onConflict((oc) =>
      oc
        .columns(["apiKeyId", "key"])
        .doUpdateSet({
          owner,
          method: call.method,
          path: call.path,
          bodyHash: call.bodyHash,
          state: "in_flight",
          status: null,
          headers: null,
          body: null,
          createdAt: sql`now()`,
        })
        .where(
          sql<boolean>`idempotency_keys.created_at < now() - ${LIFETIME_HOURS} * interval '1 hour'
            OR (idempotency_keys.state = 'in_flight'
              AND idempotency_keys.created_at < now() - ${TAKE_OVER_AFTER_MS} * interval '1 millisecond'
              AND (idempotency_keys.method, idempotency_keys.path, idempotency_keys.body_hash)
                = (${call.method}, ${call.path}, ${call.bodyHash}))`,
        ),
    )
    .returning("owner")
    .executeTakeFirst();
  if (claimed !== undefined)
    return { kind: "new", claim: { apiKeyId: call.apiKeyId, key: call.key, owner } };

  const first = await db
    .selectFrom("idempotencyKeys")
    .selectAll()
    .where("apiKeyId", "=", call.apiKeyId)
    .where("key", "=", call.key)
    .executeTakeFirst();
  if (first === undefined) return await beginIdempotent(db, call); // abandoned between the two statements
  const same =
    first.method === call.method && first.path === call.path && first.bodyHash === call.bodyHash;
  if (!same) return { kind: "mismatch" };
  if (first.status === null) return { kind: "in_flight" };
  const { status, headers, body } = first;
  return { kind: "done", answer: { status, headers: headers ?? {}, body: body ?? "" } };
}

/**
 * Keep the answer for whoever asks again.
 *
 * @throws {IdempotencyClaimLostError} if another process took the call over; roll back then
 */
export async function finishIdempotent(
  db: Queryable,
  claim: IdempotencyClaim,
  answer: RecordedAnswer,
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable("idempotencyKeys")
    .set({
      state: "done",
      status: answer.status,
      headers: JSON.stringify(answer.headers),
      body: answer.body,
    })
    .where("apiKeyId", "=", claim.apiKeyId)
    .where("key", "=", claim.key)
    .where("owner", "=", claim.owner)
    .where("state", "=", "in_flight")
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new IdempotencyClaimLostError(claim.key);
}

/** Forget a call that failed without a change, so that it can be tried again. Repeatable. */
export async function abandonIdempotent(db: Queryable, claim: IdempotencyClaim): Promise<void> {
  await db
    .deleteFrom("idempotencyKeys")
    .where("apiKeyId", "=", claim.apiKeyId)
    .where("key", "=", claim.key)
    .where("owner", "=", claim.owner)
    .where("state", "=", "in_flight")
    .execute();
}

/** Each statement drops so many, whose answers may be long: one that took 30 s would be ended, and the next had more. */
const PURGE_BATCH = 5_000;

/** Drop keys older than 48 h. Any number of processes may, at once. @returns how many */
export async function purgeIdempotencyKeys(db: Queryable, signal?: AbortSignal): Promise<number> {
  let purged = 0;
  while (!signal?.aborted) {
    const { numAffectedRows = 0n } = await sql`
      DELETE FROM idempotency_keys WHERE (api_key_id, key) IN (
        SELECT api_key_id, key FROM idempotency_keys
        WHERE created_at < now() - ${LIFETIME_HOURS} * interval '1 hour'
        ORDER BY created_at LIMIT ${PURGE_BATCH} FOR UPDATE SKIP LOCKED)`.execute(db);
    purged += Number(numAffectedRows);
    if (numAffectedRows < PURGE_BATCH) break;
  }
  return purged;
}

export class IdempotencyClaimLostError extends Error {
  override readonly name = "IdempotencyClaimLostError";

  constructor(key: string) {
    super(`the call with Idempotency-Key "${key.slice(0, 64)}" was taken over by another process`);
  }
}
