import type { Sample } from "./interleave.ts";
import { latencies } from "./subject-program.ts";

/** The id of a job that is asked for now; it carries the moment, since several processes see the job. */
export const startingId = (n: number): string => `${n}~${now().toFixed(3)}`;

/** Jobs as they reach their handler, whoever brought them there. */
export interface FinishLine {
  /** From now on, so many. */
  expect(count: number): void;
  /** A job is done. */
  crossed(id: string): void;
  /** How long they took since they were asked for, and how many a second came through. */
  all(): Promise<Sample>;
}

export function openFinishLine(): FinishLine {
  let expected = 0;
  let tookMs: number[] = [];
  let firstAskedAt = Number.POSITIVE_INFINITY;
  let done = Promise.withResolvers<Sample>();
  return {
    expect(count) {
      expected = count;
      tookMs = [];
      firstAskedAt = Number.POSITIVE_INFINITY;
      done = Promise.withResolvers();
    },
    crossed(id) {
      const askedAt = Number(id.split("~")[1]);
      firstAskedAt = Math.min(firstAskedAt, askedAt);
      tookMs.push(now() - askedAt);
      if (tookMs.length !== expected) return;
      const seconds = (now() - firstAskedAt) / 1_000;
      done.resolve({ perSecond: expected / seconds, ...latencies(tookMs) });
    },
    all: () => done.promise,
  };
}

/** Milliseconds since 1970, to the microsecond, the same in all processes of a machine. */
const now = () => performance.timeOrigin + performance.now();
