import { expect, test } from "vitest";
import { coalesce } from "../src/coalesce.ts";

test("calls of one turn become one call, and each gets its own answer", async () => {
  const batches: (readonly number[])[] = [];
  const double = coalesce(async (numbers: readonly number[]) => {
    batches.push(numbers);
    return numbers.map((n) => n * 2);
  }, 100);
  expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6]);
  expect(batches).toEqual([[1, 2, 3]]);
});

test("a batch is never larger than allowed", async () => {
  const sizes: number[] = [];
  const same = coalesce(async (batch: readonly number[]) => {
    sizes.push(batch.length);
    return batch;
  }, 2);
  await Promise.all([1, 2, 3, 4, 5].map(same));
  expect(sizes).toEqual([2, 2, 1]);
});

test("a failed batch fails its own callers and no later one", async () => {
  let fail = true;
  const call = coalesce(async (batch: readonly number[]) => {
    if (fail) throw new Error("down");
    return batch;
  }, 10);
  await expect(Promise.all([call(1), call(2)])).rejects.toThrow("down");
  fail = false;
  await expect(call(3)).resolves.toBe(3);
});

test("what comes while two calls are under way goes together in the next", async () => {
  const batches: (readonly number[])[] = [];
  const answers: (() => void)[] = [];
  const call = coalesce(async (batch: readonly number[]) => {
    batches.push(batch);
    await new Promise<void>((resolve) => answers.push(resolve));
    return batch;
  }, 100);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const calls: Promise<number>[] = [];
  for (const n of [1, 2, 3, 4]) {
    calls.push(call(n));
    await turn();
    await turn();
  }
  expect(batches).toEqual([[1], [2]]);
  answers[0]?.();
  await calls[0];
  await turn();
  expect(batches).toEqual([[1], [2], [3, 4]]);
  for (const answer of answers) answer();
  expect(await Promise.all(calls)).toEqual([1, 2, 3, 4]);
});
