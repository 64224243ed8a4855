import { defineJob } from "@ballast/contracts";
import { expect, test } from "vitest";
import { z } from "zod";
import { runAttempt } from "../src/attempt.ts";
import { DependencyDownError, PermanentError } from "../src/errors.ts";
import { type Attempt, handle } from "../src/handler.ts";
import { Quarantine } from "../src/quarantine.ts";
import { Running } from "../src/running.ts";
import type { Adoption, Run, Start, Started } from "../src/store.ts";
import type { Tracer } from "../src/tracing.ts";
import { queue, quiet } from "./integration/setup.ts";
import { recordingTracer } from "./recording-tracer.ts";

const anything = defineJob({
  queue,
  name: "anything",
  version: 1,
  payload: z.object({}),
  result: z.unknown(),
});
const aRun: Run = {
  id: "01936f5e-7a3c-7c1e-9d55-3f0a2b6c8d10",
  job: "anything",
  version: 1,
  payload: {},
  companyId: null,
  subject: null,
  slot: null,
  deadlineAt: new Date(Date.now() + 60_000),
  createdAt: new Date(),
  attemptsMade: 0,
  requestId: null,
  traceparent: null,
};

/** Run one attempt of `run`, with PostgreSQL as a pair of functions. */
async function attempt({
  contract = anything,
  run = async () => null,
  start = async () => ({ kind: "go", run: aRun }),
  adopt = async () => ({ kind: "slot_busy" }),
  data = { v: 1, payload: {} },
  tracer,
}: {
  contract?: typeof anything;
  run?: (attempt: Attempt<unknown>) => Promise<unknown>;
  start?: (start: Start, running: Running) => Promise<Started>;
  adopt?: (adoption: Adoption) => Promise<Started>;
  data?: unknown;
  tracer?: Tracer;
}) {
  using running = new Running(
    { cancelled: async () => [], touch: async () => {} },
    queue.lockDurationMs,
    quiet,
  );
  const now = new Date();
  return await runAttempt(
    {
      engineJobId: "x",
      name: "anything",
      data,
      attemptsMade: 0,
      stallCount: 0,
      isFirst: true,
      isOurs: true,
      createdAt: now,
      readyAt: now,
    },
    {
      queue,
      handlers: new Map([["anything", handle(contract, run)]]),
      start: (beginning) => start(beginning, running),
      adopt,
      journal: {
        ended() {},
        progressed() {},
        flush: async () => {},
        [Symbol.asyncDispose]: async () => {},
      },
      running,
      quarantine: new Quarantine(() => {}),
      worker: "host:1",
      log: quiet,
      tracer,
    },
  );
}

const circle: Record<string, unknown> = {};
circle["self"] = circle;

test.each([
  ["a big integer", { big: 1n }],
  ["a circle", circle],
])(
  "a result that no engine can keep, %s, is death and not work done again",
  async (_title, result) => {
    const { outcome } = await attempt({ run: async () => result });
    expect(outcome).toMatchObject({ kind: "dead", error: { code: "result_breaks_contract" } });
  },
);

test("a contract whose check throws is an attempt that failed, not an engine that retries for ever", async () => {
  const result = z.unknown().refine(() => {
    throw new Error("a bug in the contract");
  });
  const { outcome, end } = await attempt({ contract: { ...anything, result } });
  expect(outcome).toMatchObject({ kind: "retry", error: { message: "a bug in the contract" } });
  expect(end).toMatchObject({ outcome: "retry" });
});

test("a start that PostgreSQL cannot take now is put off", async () => {
  const { outcome, end } = await attempt({
    start: () => Promise.reject(Object.assign(new Error("down"), { code: "57P01" })),
  });
  expect(outcome).toMatchObject({ kind: "postpone", error: { code: "journal_down" } });
  expect(end).toBeUndefined();
});

test("a job whose lock is lost while PostgreSQL writes its start does not begin", async () => {
  let begun = false;
  const { outcome } = await attempt({
    start: async (_start, running) => {
      running.lockLost("x");
      return { kind: "go", run: aRun };
    },
    run: async () => {
      begun = true;
    },
  });
  expect(outcome).toEqual({ kind: "interrupted", reason: "lease_lost" });
  expect(begun).toBe(false);
});

test("a job that PostgreSQL can never take is kept without what it held, and dead", async () => {
  const kept: Adoption[] = [];
  const { outcome } = await attempt({
    start: async () => ({ kind: "unknown" }),
    adopt: async (adoption) => {
      kept.push(adoption);
      if (kept.length === 1)
        throw Object.assign(new Error("stack depth limit exceeded"), { code: "54001" });
      const { version, payload } = adoption;
      return { kind: "go", run: { ...aRun, version, payload } };
    },
  });
  expect(kept[1]).toMatchObject({
    version: 0,
    payload: { refused: expect.stringContaining("stack depth") },
  });
  expect(outcome).toMatchObject({ kind: "dead", error: { code: "no_envelope" } });
  expect(outcome).toHaveProperty("error.message", expect.stringContaining("stack depth"));
});

test.each([
  ["a megabyte and more", { v: 1, payload: { text: "x".repeat(1_000_001) } }],
  ["nested deeper than JSON can be written", { v: 1, payload: { deep: nested(100_000) } }],
])("a payload of %s is refused, saying so", async (_title, data) => {
  const kept: Adoption[] = [];
  await attempt({
    data,
    start: async () => ({ kind: "unknown" }),
    adopt: async (adoption) => {
      kept.push(adoption);
      return { kind: "slot_busy" };
    },
  });
  expect(kept).toMatchObject([
    { version: 0, payload: { refused: expect.stringContaining("cannot be kept") } },
  ]);
});

function nested(levels: number): unknown {
  let inner: unknown = [];
  for (let level = 0; level < levels; level++) inner = [inner];
  return inner;
}

test("an attempt is a span of its run's trace, in which the handler's own work goes on", async () => {
  const { tracer, spans } = recordingTracer();
  const { end, traceparent } = await attempt({
    tracer,
    start: async () => ({ kind: "go", run: { ...aRun, traceparent: "00-trace-parent-01" } }),
    run: async (given) => given.traceparent,
  });

  expect(spans).toMatchObject([
    {
      name: "process anything",
      kind: "consumer",
      parent: "00-trace-parent-01",
      attributes: { "messaging.message.id": aRun.id, "ballast.outcome": "completed" },
      isOver: true,
    },
  ]);
  expect(end?.result).toBe(spans[0]?.traceparent);
  expect(traceparent).toBe(spans[0]?.traceparent);
});

test.each([
  ["failed", new PermanentError("broken", "it is"), { failure: "broken", outcome: "dead" }],
  [
    "failed, and was to wait",
    new DependencyDownError("away", "it is"),
    { failure: undefined, outcome: "postpone" },
  ],
])("a span tells that an attempt %s", async (_title, error, { failure, outcome }) => {
  const { tracer, spans } = recordingTracer();
  await attempt({ tracer, run: () => Promise.reject(error) });

  expect(spans).toMatchObject([
    { failure, attributes: { "ballast.outcome": outcome, "ballast.code": error.code } },
  ]);
});
