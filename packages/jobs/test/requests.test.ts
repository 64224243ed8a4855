import { defineJob } from "@ballast/contracts";
import { expect, test } from "vitest";
import { z } from "zod";
import { createRequests } from "../src/requests.ts";
import type { NewRun, NewWish } from "../src/store.ts";
import { queue } from "./integration/setup.ts";

const job = defineJob({
  queue,
  name: "do-thing",
  version: 1,
  payload: z.object({}),
  result: z.null(),
  priority: 7,
  giveUpAfterMs: 60_000,
});
const wish = { companyId: null, requestedBy: null };

function setup() {
  const asked: NewRun[] = [];
  const askedAll = (wishes: readonly NewWish[]) => {
    asked.push(...wishes.map(({ run }) => run));
    return wishes.map(() => ({ requestId: "request", runId: "run", joined: false }));
  };
  const requests = createRequests<null>({
    store: {
      async ask(_tx, run) {
        asked.push(run);
        return { requestId: "request", runId: "run", joined: false };
      },
      commitAll: async (wishes) => ({ asked: askedAll(wishes), taken: [] }),
      release: async () => 0,
    },
  });
  return { requests, asked };
}

test("a wish takes its contract's priority, and its deadline counts from when it is due", async () => {
  const { requests, asked } = setup();
  const dueAt = new Date("2099-11-23T02:00:00Z");
  await requests.ask(null, job, {}, { ...wish, dueAt });
  expect(asked).toMatchObject([{ priority: 7, deadlineAt: new Date("2099-11-23T02:01:00Z") }]);
});

test("the deadline of what was due before it was asked for counts from now", async () => {
  const { requests, asked } = setup();
  const before = Date.now();
  await requests.ask(null, job, {}, { ...wish, dueAt: new Date("2026-01-01T00:00:00Z") });
  const deadline = Number(asked[0]?.deadlineAt);
  expect(deadline).toBeGreaterThanOrEqual(before + 60_000);
  expect(deadline).toBeLessThanOrEqual(Date.now() + 60_000);
});

test.each([
  ["priority", { priority: -1 }],
  ["priority", { priority: 1.5 }],
  ["priority", { priority: 2_097_152 }],
  ["dueAt", { dueAt: new Date(Number.NaN) }],
])("a %s that the engine would refuse for ever is refused at once", async (field, change) => {
  const { requests, asked } = setup();
  const asking = async () => requests.ask(null, job, {}, { ...wish, ...change });
  await expect(asking()).rejects.toThrow(field);
  expect(asked).toEqual([]);
});

test.each([
  ["all of it", 2, 0],
  ["some of it, and looks for the rest", 1, 1],
])("a dispatcher takes what was noted for it: %s", async (_what, takenCount, nudges) => {
  const told: unknown[] = [];
  const given: unknown[] = [];
  let nudged = 0;
  const asked = [1, 2].map((n) => ({ requestId: `${n}`, runId: `${n}`, joined: false }));
  const taken = asked.slice(0, takenCount) as never[];
  const requests = createRequests<null>({
    store: {
      commitAll: async (_wishes: unknown, takes: unknown) => {
        told.push(takes);
        return { asked, taken };
      },
    } as never,
    dispatcher: {
      takes: true,
      take: (runs) => void given.push(...runs),
      nudge: () => {
        nudged += 1;
      },
    },
  });
  const answer = await requests.commitAll(
    job,
    [1, 2].map(() => ({ ...wish, payload: {} })),
  );
  expect(answer).toEqual(asked);
  expect([told, given, nudged]).toEqual([[true], taken, nudges]);
});
