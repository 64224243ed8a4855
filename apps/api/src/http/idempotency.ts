import {
  beginIdempotent,
  type Database,
  finishIdempotent,
  type IdempotentCall,
  type RecordedAnswer,
  sqlState,
  type Tx,
} from "@ballast/database";
import type { Answer } from "./endpoint.ts";
import { asProblem, problemAnswer } from "./errors.ts";
import { Problem } from "./problem.ts";

/** How long a repeat waits for the first answer. */
const WAIT_MS = 2_000;

/** @throws {Problem} `malformed-request` if the header cannot be a key */
export function idempotencyKeyOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  // The draft standard quotes the key; most clients do not.
  const key = header.replace(/^"(.*)"$/, "$1");
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const message = "must have 1 to 255 visible ASCII characters";
  throw new Problem("malformed-request", `Idempotency-Key ${message}`, {
    errors: [{ path: "Idempotency-Key", message, limit: 255 }],
  });
}

/**
 * Do `work` once per key, however often it is asked for; a refusal is an answer too.
 *
 * Key, effect and answer are one transaction: a crash leaves all of them or none. A repeat waits at
 * the key's row, which the first holds locked; what was in flight in a dead process is free again
 * as soon as PostgreSQL noticed.
 *
 * @throws {Problem} `still-in-flight`, `idempotency-key-reused`
 * @throws whatever `work` throws that is not the caller's doing (5xx): nothing is kept then
 */
export async function idempotently(
  database: Pick<Database, "transaction">,
  call: IdempotentCall,
  work: (tx: Tx) => Promise<Answer>,
): Promise<Answer> {
  const once = (make: (tx: Tx) => Promise<Answer>) =>
    database.transaction(async (tx) => {
      const begun = await begin(tx, call);
      if ("answer" in begun) return replayed(begun.answer);
      const answer = await make(tx);
      await finishIdempotent(tx, begun.claim, {
        status: answer.status,
        headers: answer.headers ?? {},
        body: JSON.stringify(answer.body ?? null),
      });
      return answer;
    });

  let working = false;
  try {
    return await once((tx) => {
      working = true;
      return work(tx);
    });
  } catch (error) {
    const problem = asProblem(error);
    if (!working || problem.status >= 500) throw error;
    // Refused: what was begun is taken back, and the refusal is kept by itself. A repeat that comes
    // between the two is refused alike, or finds that what stood in the way is gone.
    return await once(async () => problemAnswer(problem, call.path));
  }
}

async function begin(tx: Tx, call: IdempotentCall) {
  await setLockTimeout(tx, `${WAIT_MS}ms`);
  const begun = await beginIdempotent(tx, call).catch((error: unknown) => {
    throw sqlState(error) === LOCK_NOT_AVAILABLE ? stillInFlight(error) : error;
  });
  await setLockTimeout(tx, "0");
  if (begun.kind === "in_flight") throw stillInFlight();
  if (begun.kind === "mismatch")
    throw new Problem(
      "idempotency-key-reused",
      `the Idempotency-Key "${call.key.slice(0, 64)}" was used with another method, address or body`,
    );
  return begun;
}

const LOCK_NOT_AVAILABLE = "55P03";

/** For the rest of the transaction. */
const setLockTimeout = (tx: Tx, value: string) =>
  tx
    .selectNoFrom((eb) =>
      eb.fn("set_config", [eb.val("lock_timeout"), eb.val(value), eb.lit(true)]).as("set"),
    )
    .execute();

function replayed({ status, headers, body }: RecordedAnswer): Answer {
  const stored: unknown = JSON.parse(body);
  return {
    status,
    headers: { ...headers, "Idempotency-Replayed": "true" },
    ...(stored === null ? {} : { body: stored }),
  };
}

const stillInFlight = (cause?: unknown) =>
  new Problem(
    "still-in-flight",
    `the first request with this Idempotency-Key gave no answer within ${WAIT_MS / 1_000} s`,
    { headers: { "Retry-After": "2" }, cause },
  );
