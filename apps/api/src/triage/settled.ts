import { type CompanyScope, type Letter, lockLetter, type Tx } from "@ballast/database";
import { notFound, Problem } from "../http/problem.ts";

/**
 * Take a letter that nobody has decided about yet, until `tx` ends. Of two operators at once the second
 * waits here, and is then told what the first one did.
 *
 * @throws {Problem} `not-found`, `letter-settled`
 */
export async function openLetter(tx: Tx, scope: CompanyScope, letterId: string): Promise<Letter> {
  const letter = await lockLetter(tx, scope, letterId);
  if (letter === undefined) throw notFound("letter", letterId);
  if (letter.state !== "open") throw new Problem("letter-settled", settledBefore(letter));
  return letter;
}

/** By whom and when, and where to look now. */
export function settledBefore(letter: Letter): string {
  const { runId, state, settledBy, settledAt, settledReason, replayRequestId } = letter;
  const next = replayRequestId === null ? "" : `; follow /v1/jobs/${replayRequestId}`;
  return `letter ${runId} was ${state} by ${settledBy} at ${settledAt?.toISOString()} (${settledReason})${next}`;
}
