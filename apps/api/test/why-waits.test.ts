import type { JobRequestView, RunView, ShutGate } from "@ballast/database";
import { expect, test, vi } from "vitest";
import type { EnginePeek } from "../src/jobs/engine-peek.ts";
import { peekEngine } from "../src/jobs/engine-peek.ts";
import { remotesOf } from "../src/jobs/remotes-of.ts";
import { type Sources, whyWaits } from "../src/jobs/why-waits.ts";

const now = new Date("2026-11-23T10:00:00Z");
const later = new Date("2026-11-23T10:05:00Z");
const earlier = new Date("2026-11-23T09:55:00Z");

const waiting: Partial<RunView> = { state: "waiting" };
const handed: Partial<RunView> = { state: "waiting", handedAt: earlier };
const between: Partial<RunView> = { state: "started", handedAt: earlier, attemptsMade: 2 };

const request = (run: Partial<RunView>, rest: Partial<JobRequestView> = {}) =>
  ({
    requestId: "q",
    cancelledAt: null,
    blockedBy: null,
    aheadOfIt: 0,
    ...rest,
    run: {
      queue: "pdf",
      engineJobId: "r",
      finishedAt: null,
      cancelRequestedAt: null,
      runningAttemptId: null,
      heldFor: null,
      dueAt: null,
      handedAt: null,
      nextAttemptAt: null,
      waitCode: null,
      waitMessage: null,
      ...run,
    },
  }) as JobRequestView;

type Job = Extract<EnginePeek, { kind: "seen" }>["job"];
const seen = (job: Job, paused = false): EnginePeek => ({
  kind: "seen",
  job,
  queue: { paused, waiting: 4, active: 2, delayed: 0, failed: 0 },
});
const pdfJob = request({ state: "started", errorMessage: null }, { requestId: "pdf-job" });
const away: EnginePeek = { kind: "unreachable" };
const nobody = async () => undefined;
const sources: Sources = { engine: async () => away, pdfJob: nobody, pause: nobody, gate: nobody };

test.for<[string, JobRequestView, EnginePeek, object]>([
  [
    "held for its PDF",
    request({ ...waiting, heldFor: "document:42:r1:de-DE" }),
    away,
    { code: "held", message: expect.stringMatching(/PDF of invoice 42: .*pdf-job is started/) },
  ],
  [
    "scheduled",
    request({ ...waiting, dueAt: later }),
    away,
    { code: "scheduled", until: later.toISOString() },
  ],
  [
    "another run of its slot is running",
    request(waiting, { blockedBy: { runId: "o", requestId: "other", startedAt: earlier } }),
    away,
    { code: "slot_busy", message: expect.stringContaining("/v1/jobs/other") },
  ],
  [
    "not handed over yet",
    request({ ...waiting, dueAt: earlier }, { aheadOfIt: 3 }),
    seen(undefined),
    { code: "not_handed_over", message: expect.stringContaining("3 are ahead") },
  ],
  ["not handed over, engine away", request(waiting), away, { code: "engine_unreachable" }],
  ["handed over, engine away", request(handed), away, { code: "engine_unreachable" }],
  [
    "queued",
    request(handed),
    seen("waiting"),
    { code: "queued", message: expect.stringContaining("2 running, 3 others queued") },
  ],
  ["its queue is paused", request(handed), seen("waiting", true), { code: "queue_paused" }],
  ["taken by a worker just now", request(handed), seen("active"), { code: "starting" }],
  ["unknown to the engine", request(handed), seen(undefined), { code: "engine_lost_it" }],
  ["ended, not recorded yet", request(handed), seen("completed"), { code: "settling" }],
  [
    "backing off",
    request({ ...between, nextAttemptAt: later, waitCode: "backoff", waitMessage: "no font" }),
    away,
    {
      code: "backing_off",
      until: later.toISOString(),
      message: expect.stringContaining("no font"),
    },
  ],
  [
    "postponed",
    request({ ...between, nextAttemptAt: later, waitCode: "smtp_down", waitMessage: "refused" }),
    away,
    {
      code: "postponed",
      until: later.toISOString(),
      message: expect.stringMatching(/refused.*smtp_down/),
    },
  ],
  [
    "its wait is over and a worker is awaited",
    request({ ...between, nextAttemptAt: earlier, waitCode: "backoff" }),
    seen("waiting"),
    { code: "queued" },
  ],
  [
    "handed back",
    request({ ...between, waitCode: "handed_back" }),
    seen("waiting"),
    { code: "handed_back" },
  ],
  [
    "suspected of having ended a process",
    request({ ...between, waitCode: "quarantined" }),
    seen("active"),
    { code: "quarantined" },
  ],
  [
    "told to stop",
    request({ ...between, runningAttemptId: "a", cancelRequestedAt: earlier }),
    away,
    { code: "cancelling" },
  ],
])("a job that is %s says so", async ([, job, peek, expected]) => {
  expect(
    await whyWaits(job, { ...sources, engine: async () => peek, pdfJob: async () => pdfJob }, now),
  ).toMatchObject(expected);
});

test("a mail whose PDF died says so, and how to go on", async () => {
  const held = request({ ...waiting, heldFor: "document:42:r1:de-DE" });
  const engine = async () => away;
  const dead = request({ state: "dead", errorMessage: "no font" }, { requestId: "pdf-job" });
  const after = async (job: typeof dead | undefined) =>
    (await whyWaits(held, { ...sources, engine, pdfJob: async () => job }, now))?.message;
  expect(await after(dead)).toMatch(/pdf-job is dead \(no font\): .*POST \/v1\/invoices\/42\/pdf/);
  expect(await after(undefined)).toMatch(/nobody renders: .*POST \/v1\/invoices\/42\/pdf/);
});

test("a job that runs, is over, or was taken back waits for nothing, and the engine is not asked", async () => {
  const peek = vi.fn(async () => away);
  for (const job of [
    request({ ...between, runningAttemptId: "a" }),
    request({ state: "completed", finishedAt: earlier }),
    request(waiting, { cancelledAt: earlier }),
  ])
    expect(await whyWaits(job, { ...sources, engine: peek }, now)).toBeNull();
  expect(peek).not.toHaveBeenCalled();
});

test("an engine that never answers costs a status page 300 ms", async () => {
  vi.useFakeTimers();
  try {
    const never = () => new Promise<never>(() => {});
    const peek = peekEngine({ find: never, state: never }, request(handed).run);
    await vi.advanceTimersByTimeAsync(300);
    expect(await peek).toEqual({ kind: "unreachable" });
  } finally {
    vi.useRealTimers();
  }
});

test("a job that waits for a closed gate names it, since when, why, and when it is tried again", async () => {
  const gate: ShutGate = {
    kind: "marketplace",
    key: "shop-1",
    state: "closed",
    closedAt: earlier,
    code: "auth_failed",
    message: "Shopify answered 401",
    nextProbeAt: later,
  };
  const job = request({ ...between, nextAttemptAt: later, waitCode: "gate_closed" });
  const wait = async (shut: ShutGate) =>
    (await whyWaits(job, { ...sources, gate: async () => shut }, now)) ?? undefined;
  expect(await wait(gate)).toEqual({
    code: "gate_closed",
    until: later.toISOString(),
    message:
      "marketplace account shop-1 is not called since 2026-11-23T09:55:00.000Z " +
      "(auth_failed: Shopify answered 401); whether it is back is tried from 2026-11-23T10:05:00.000Z on; " +
      "this one waits until 2026-11-23T10:05:00.000Z",
  });
  expect((await wait({ ...gate, state: "ramping" }))?.message).toMatch(/is back/);
  // The mail server is everybody's: what it said to another company is not shown.
  const shared = { ...gate, kind: "smtp", message: "no such customer" } as const;
  expect((await wait(shared))?.message).not.toMatch(/customer/);
});

test("which remotes a job may wait for follows from its queue and from what it is about", () => {
  const of = (queue: string, subject: string | null, payload = {}) =>
    remotesOf({ queue, subject, payload });
  expect(of("marketplace-sync", "marketplace-account:7")).toEqual([
    { kind: "marketplace", key: "7" },
  ]);
  expect(of("email", "invoice:7")).toEqual([{ kind: "smtp" }, { kind: "storage" }]);
  expect(of("pdf", null)).toEqual([{ kind: "storage" }]);
  expect(of("dead-letter", null, { channel: "slack" })).toEqual([
    { kind: "channel", key: "slack" },
  ]);
  expect(of("drill", null)).toEqual([]);
});
