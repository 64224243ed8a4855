import type { Job } from "bullmq";
import { expect, onTestFinished, test, vi } from "vitest";
import { Unconfirmed } from "../src/engine/unconfirmed.ts";
import { PermanentError } from "../src/errors.ts";
import type { Outcome } from "../src/outcome.ts";

const completed: Outcome = { kind: "completed", result: null };
const dead: Outcome = { kind: "dead", error: new PermanentError("gone", "x") };

function setup() {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const told: string[] = [];
  const unconfirmed = new Unconfirmed(1_000);
  const reach = (id: string, outcome: Outcome) => {
    const job = { id } as Job;
    unconfirmed.add(job, { outcome, told: () => told.push(id) });
    return job;
  };
  return { told, unconfirmed, reach };
}

test("what BullMQ confirms is told once, however often it does", () => {
  const { told, unconfirmed, reach } = setup();
  const job = reach("a", completed);
  expect([unconfirmed.confirm(job), unconfirmed.confirm(job)]).toEqual([true, true]);
  vi.advanceTimersByTime(5_000);
  unconfirmed[Symbol.dispose]();
  expect(told).toEqual(["a"]);
});

test("finished work that BullMQ never confirms is told of, anything else is not", () => {
  const { told, reach } = setup();
  reach("finished", completed);
  reach("dead", dead);
  vi.advanceTimersByTime(999);
  reach("just now", completed);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(2);
  expect(told).toEqual(["finished"]);
});

test("a job that ended without an outcome of ours is known by that", () => {
  const { told, unconfirmed } = setup();
  expect(unconfirmed.confirm({ id: "stalled" } as Job)).toBe(false);
  expect(told).toEqual([]);
});

test("at the end all finished work is told of, and no timer is left", () => {
  const { told, unconfirmed, reach } = setup();
  reach("a", completed);
  unconfirmed[Symbol.dispose]();
  expect(told).toEqual(["a"]);
  expect(vi.getTimerCount()).toBe(0);
});
