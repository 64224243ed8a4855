import { until } from "@ballast/testing";
import { sql } from "kysely";
import { defineDrill } from "../drill.ts";
import type { Reply } from "../stack/client.ts";

/** Every reason a job can wait is produced for real, and the API must name it. */
export const explain = defineDrill({
  name: "explain",
  promise: "each reason a job can wait is shown, and the true one",
  sabotages: [
    {
      without: "the engine being asked where the journal does not know",
      file: "apps/api/src/jobs/why-waits.ts",
      find: "return ofEngine(request, await sources.engine(run), pause);",
      replace: "return null;",
    },
  ],
  async run(t) {
    const stack = await t.open();
    const seen = new Map<string, string>();
    const locationOf = (reply: Reply) => reply.headers.get("location") ?? "";
    const echo = async (id: string, more: object = {}) =>
      locationOf(await stack.api.post("/v1/jobs", { job: "echo", payload: { id }, ...more }));
    /** Wait until the job says why; `before` and `after` frame the circumstances. */
    const expectCode = async (location: string, code: string, deadlineMs = 15_000) => {
      let last = "nothing";
      const said = await until(
        async () => {
          const { body } = await stack.api.get(location);
          last = body?.waits?.code ?? `nothing (${body?.state})`;
          return last === code ? (body.waits.message as string) : undefined;
        },
        { deadlineMs, intervalMs: 50 },
      ).catch(() => undefined);
      if (said !== undefined) seen.set(code, said);
      t.must(`a job that waits as "${code}" says so; it said ${last}`, said !== undefined);
    };

    t.tell("held, scheduled, queued, paused");
    const { invoice } = await stack.invoice();
    await expectCode(locationOf(await stack.api.post(`/v1/invoices/${invoice.id}/send`)), "held");
    const dueAt = new Date(Date.now() + 86_400_000).toISOString();
    await expectCode(await echo("later", { dueAt }), "scheduled");
    const queued = await echo("queued");
    await expectCode(queued, "queued");
    await stack.otherTeam.queue("drill").pause();
    await expectCode(queued, "queue_paused");
    await stack.otherTeam.queue("drill").resume();

    t.tell("the engine is away, then wiped");
    await stack.engine.stop();
    await expectCode(queued, "engine_unreachable");
    await expectCode(await echo("while-away"), "engine_unreachable");
    await stack.engine.start();
    await stack.otherTeam.queue("drill").getWaitingCount();
    // Its epoch is left, so that only the run's own silence tells.
    await sql`UPDATE job_runs SET touched_at = now() WHERE queue = 'drill'`.execute(
      stack.db.kysely,
    );
    for (const job of await stack.otherTeam.queue("drill").getWaiting()) await job.remove();
    await expectCode(queued, "engine_lost_it");

    t.tell("a worker: backing off, postponed, handed back, cancelling, slot busy");
    const worker = await stack.start("echo-worker");
    await expectCode(await echo("fail-1"), "backing_off");
    await expectCode(await echo("wait-1"), "postponed");
    const slow = await echo("slow-1");
    await until(async () => (await stack.api.get(slow)).body?.running, { deadlineMs: 15_000 });
    worker.freeze();
    await stack.api.delete(slow);
    await expectCode(slow, "cancelling");
    worker.thaw();
    const other = await echo("slow-2");
    await until(async () => (await stack.api.get(other)).body?.running, { deadlineMs: 15_000 });
    await worker.stop();
    await expectCode(other, "handed_back");

    const pdf = () => stack.api.post(`/v1/invoices/${invoice.id}/pdf`);
    await pdf();
    await sql`UPDATE job_runs SET state = 'started', started_at = now(), running_attempt_id = gen_random_uuid(),
      running_since = now(), handed_at = coalesce(handed_at, now()), touched_at = now()
      WHERE queue = 'pdf' AND state = 'waiting'`.execute(stack.db.kysely);
    await expectCode(locationOf(await pdf()), "slot_busy");

    t.figure("reasons", seen.size);
    for (const [code, said] of seen) t.tell(`${code}: ${said}`);
  },
});
