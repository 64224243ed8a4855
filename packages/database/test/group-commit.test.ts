import { expect, test } from "vitest";
import { groupCommit } from "../src/index.ts";

const badValue = () => Object.assign(new Error("invalid byte sequence"), { code: "22021" });

function setup(fails: (group: readonly number[]) => Error | undefined = () => undefined) {
  const groups: number[][] = [];
  const commit = groupCommit<number, string>({
    keyOf: (one) => (one < 100 ? "small" : "large"),
    async commit(group) {
      const error = fails(group);
      if (error) throw error;
      groups.push([...group]);
      return group.map((one) => `done ${one}`);
    },
  });
  return { groups, commit };
}

test("what comes at the same moment is committed together, by key, and each is answered for itself", async () => {
  const { groups, commit } = setup();
  const done = await Promise.all([1, 2, 100, 3].map(commit));
  expect(done).toEqual(["done 1", "done 2", "done 100", "done 3"]);
  expect(groups).toEqual([[1, 2, 3], [100]]);
});

test("what comes while a group is committed is the next group", async () => {
  const { groups, commit } = setup();
  const late: Promise<string>[] = [];
  const first = commit(1);
  await new Promise((turn) => setImmediate(() => setImmediate(turn)));
  late.push(commit(2), commit(3));
  expect(await Promise.all([first, ...late])).toEqual(["done 1", "done 2", "done 3"]);
  expect(groups).toEqual([[1], [2, 3]]);
});

test("of two groups at a time the second takes what comes while the first is committed, and a third waits", async () => {
  const groups: number[][] = [];
  const ends: (() => void)[] = [];
  const commit = groupCommit<number, number>({
    keyOf: () => "",
    underWay: 2,
    async commit(group) {
      groups.push([...group]);
      await new Promise<void>((end) => ends.push(end));
      return group;
    },
  });
  const turns = () => new Promise((turn) => setImmediate(() => setImmediate(turn)));
  const all: Promise<number>[] = [];
  for (const one of [1, 2, 3, 4]) {
    all.push(commit(one));
    await turns();
  }
  expect(groups).toEqual([[1], [2]]);
  ends[1]?.();
  await turns();
  expect(groups).toEqual([[1], [2], [3, 4]]);
  for (const end of ends) end();
  expect(await Promise.all(all)).toEqual([1, 2, 3, 4]);
});

test.each([
  ["a value that PostgreSQL cannot take", badValue()],
  ["a wish that breaks its contract", new RangeError("locale")],
])("%s fails alone", async (_, error) => {
  const { groups, commit } = setup((group) => (group.includes(2) ? error : undefined));
  const outcomes = await Promise.allSettled([1, 2, 3].map(commit));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(groups).toEqual([[1], [3]]);
});

test("a database that is away fails the group at once, not each of it after its own wait", async () => {
  let tries = 0;
  const { commit } = setup(() => {
    tries += 1;
    return new Error("Connection terminated");
  });
  const outcomes = await Promise.allSettled([1, 2, 3].map(commit));
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(tries).toBe(1);
});
