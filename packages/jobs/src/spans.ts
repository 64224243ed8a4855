import type { Delivery } from "./engine/engine.ts";
import type { Outcome } from "./outcome.ts";
import type { Remote } from "./remote/store.ts";
import type { ClaimedRun, Run } from "./store.ts";
import type { Span, SpanStart } from "./tracing.ts";

/*
 * The spans of the runtime, in the words of OpenTelemetry's conventions for messaging where it has some.
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 */

const messaging = (queue: string, runId: string) => ({
  "messaging.system": "bullmq",
  "messaging.destination.name": queue,
  "messaging.message.id": runId,
});

/** From the moment a run could have been handed over to the moment it was: the outbox, and the engine's answer. */
export const handOverSpan = (run: ClaimedRun): SpanStart => ({
  name: `send ${run.queue}`,
  kind: "producer",
  parent: run.traceparent,
  startedAt: new Date(Math.max(run.createdAt.getTime(), run.dueAt?.getTime() ?? 0)),
  attributes: {
    ...messaging(run.queue, run.id),
    "messaging.operation.name": "send",
    "messaging.operation.type": "send",
    "ballast.job": run.job,
  },
});

/** One attempt, from its start to its outcome. */
export const attemptSpan = (queue: string, run: Run, delivery: Delivery): SpanStart => ({
  name: `process ${run.job}`,
  kind: "consumer",
  parent: run.traceparent,
  attributes: {
    ...messaging(queue, run.id),
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
    "ballast.job": run.job,
    "ballast.request_id": run.requestId ?? undefined,
    "ballast.company_id": run.companyId ?? undefined,
    "ballast.subject": run.subject ?? undefined,
    "ballast.attempt": Math.max(run.attemptsMade, delivery.attemptsMade) + 1,
    "ballast.wait_ms": Math.max(0, Date.now() - delivery.readyAt.getTime()),
  },
});

/** What became of it. A wait is no failure, as it is none of the job. */
export function tellOutcome(span: Span, outcome: Outcome): void {
  const code = "error" in outcome ? outcome.error.code : undefined;
  span.set({ "ballast.outcome": outcome.kind, "ballast.code": code });
  if (code !== undefined && outcome.kind !== "postpone") span.fail(code);
}

/** One call to a remote, once its gate and its quota let it through. */
export const callSpan = ({ kind, key }: Remote): SpanStart => ({
  name: `call ${kind}`,
  kind: "client",
  attributes: { "ballast.remote.kind": kind, "ballast.remote.key": key },
});
