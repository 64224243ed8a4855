import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sharedLookup } from "../src/http/shared-lookup.ts";

test("an answer is never older than its question, and at most one look at a thing is under way", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ key: fc.constantFrom("a", "b"), turns: fc.nat(3) }), { minLength: 1 }),
      fc.scheduler(),
      async (questions, s) => {
        let time = 0;
        const looking = new Map<string, number>();
        const find = sharedLookup(async (key) => {
          const at = ++time;
          looking.set(key, (looking.get(key) ?? 0) + 1);
          expect(looking.get(key)).toBe(1);
          await s.schedule(Promise.resolve(), key);
          looking.set(key, 0);
          if (at % 3 === 0) throw new Error(`${at}`);
          return at;
        });
        const answers: Promise<void>[] = [];
        for (const { key, turns } of questions) {
          for (let n = 0; n < turns; n++) await setImmediate();
          const askedAt = ++time;
          const answer = find(key).catch((error: Error) => Number(error.message));
          answers.push(answer.then((at) => expect(at).toBeGreaterThan(askedAt - 1)));
        }
        await s.waitIdle();
        await Promise.all(answers);
      },
    ),
  );
});

test("whoever asks while a look is under way shares the next one", async () => {
  const gates: Array<() => void> = [];
  let looks = 0;
  const find = sharedLookup(async () => {
    looks += 1;
    await new Promise<void>((resolve) => gates.push(resolve));
    return looks;
  });
  const first = find("key");
  const others = Array.from({ length: 9 }, () => find("key"));
  gates.shift()?.();
  expect(await first).toBe(1);
  await setImmediate();
  gates.shift()?.();
  expect(await Promise.all(others)).toEqual(Array.from({ length: 9 }, () => 2));
});
