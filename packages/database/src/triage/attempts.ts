import type { Queryable } from "../database.ts";
import type { AttemptView } from "../jobs-view.ts";

/** Every attempt of a run, oldest first, whether it lives or moved to history. */
export async function attemptsOfRun(db: Queryable, runId: string): Promise<AttemptView[]> {
  const attempts = await db
    .selectFrom("allJobAttempts")
    .select([
      "id",
      "startedAt",
      "endedAt",
      "outcome",
      "code",
      "message",
      "stack",
      "nextAttemptAt",
      "worker",
    ])
    .where("runId", "=", runId)
    .orderBy((eb) => eb.fn.coalesce("startedAt", "endedAt"))
    .orderBy("endedAt")
    .execute();
  return attempts as AttemptView[];
}
