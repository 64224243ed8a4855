import { expect, test } from "vitest";
import { authentication, type Caller } from "../src/http/caller.ts";

const caller: Caller = { id: "1", name: "shop", companyId: null, scopes: ["read"] };
const bearer = (key: string) => `Bearer ${key}`;

/** Looks at the database, each of which ends when told to. */
function setup() {
  const looks: { keys: readonly string[]; end(): void }[] = [];
  const authenticate = authentication((keys) => {
    const { promise, resolve } = Promise.withResolvers<(Caller | undefined)[]>();
    const end = () => resolve(keys.map((key) => (key === "bk_good" ? caller : undefined)));
    looks.push({ keys, end });
    return promise;
  });
  return { looks, authenticate };
}

const turn = () => new Promise((next) => setImmediate(next));

test("a flood of made-up keys is looked up two statements at a time, and one that holds is let in among them", async () => {
  const { looks, authenticate } = setup();
  const flood = (count: number, name: string) =>
    Promise.allSettled(Array.from({ length: count }, (_, n) => authenticate(bearer(name + n))));
  const first = flood(400, "bk_a");
  await turn();
  const second = flood(400, "bk_b");
  const good = authenticate(bearer("bk_good"));
  for (let n = 0; n < 9; n++) await turn();
  expect(looks).toHaveLength(2);

  for (const look of looks) look.end();
  expect(await good).toBe(caller);
  const answers = [...(await first), ...(await second)];
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(["rejected"]));
  expect(looks).toHaveLength(2);
});

test("what comes while two statements are under way waits for the next, and those who are known do not wait", async () => {
  const { looks, authenticate } = setup();
  const known = authenticate(bearer("bk_good"));
  await turn();
  looks[0]?.end();
  expect(await known).toBe(caller);

  const unknown: Promise<unknown>[] = [];
  for (let n = 0; n < 6; n++) {
    unknown.push(authenticate(bearer(`bk_${n}`)).catch(() => "refused"));
    await turn();
    await turn();
  }
  expect(looks.map(({ keys }) => keys)).toEqual([["bk_good"], ["bk_0"], ["bk_1"]]);
  expect(await authenticate(bearer("bk_good"))).toBe(caller);

  looks[1]?.end();
  await expect.poll(() => looks[3]?.keys).toEqual(["bk_2", "bk_3", "bk_4", "bk_5"]);
  for (const look of looks) look.end();
  expect(await Promise.all(unknown)).toEqual(Array(6).fill("refused"));
});
