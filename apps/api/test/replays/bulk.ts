import { until } from "@ballast/testing";
import { startReplays } from "../../src/replays/driver.ts";
import { die } from "../letters.ts";
import type { Api } from "../setup.ts";

export const reason = "the cause is mended";

/** Dead letters of `echo`, all of one cause. */
export async function deadEchoes(t: Api, count: number, ids = (n: number) => `n${n}`) {
  const letters: string[] = [];
  for (let n = 0; n < count; n++) {
    const asked = await t.api.post("/v1/jobs", { job: "echo", payload: { id: ids(n) } });
    letters.push(await die(t, asked.body.runId, { queue: "drill", code: "broken" }));
  }
  return letters;
}

export const drive = (t: Api) =>
  startReplays({
    database: t.database,
    requests: t.deps.requests,
    dispatcher: t.deps.dispatcher,
    log: t.telemetry.log,
  });

/** End every run that waits, as a worker would; `outcome` decides by the payload's id, and all die of one `message`. */
export async function workAll(
  t: Api,
  outcome: (id: string) => "completed" | "dead",
  message = "no tax rate",
) {
  const runs = await t.database.kysely
    .selectFrom("jobRuns")
    .select(["id", "payload"])
    .where("queue", "=", "drill")
    .where("state", "=", "waiting")
    .execute();
  for (const { id, payload } of runs)
    if (outcome(String(payload["id"])) === "dead")
      await die(t, id, { queue: "drill", code: "broken", message });
    else await die(t, id, { queue: "drill", outcome: "completed", code: null, message: null });
}

export const reach = (t: Api, path: string, ...states: string[]) =>
  until(
    async () => {
      const { body } = await t.api.get(path);
      return states.includes(body.state) ? body : undefined;
    },
    { deadlineMs: 30_000, what: `${path} in ${states}` },
  );
