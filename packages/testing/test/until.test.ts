import { expect, test } from "vitest";
import { until } from "../src/index.ts";

test("waiting ends with the first value that is there", async () => {
  let looks = 0;
  const found = await until(
    () => {
      looks += 1;
      return looks < 3 ? undefined : { looks };
    },
    { intervalMs: 1 },
  );
  expect(found).toEqual({ looks: 3 });
});

test("zero and the empty text are values", async () => {
  expect(await until(() => 0)).toBe(0);
  expect(await until(() => "")).toBe("");
});

test("a look that throws is a look in vain, and is told at the deadline", async () => {
  const cause = new Error("not yet");
  const failure = await until(() => Promise.reject(cause), {
    deadlineMs: 5,
    intervalMs: 1,
    what: "the mail",
  }).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    cause,
    message: expect.stringContaining("the mail did not come true within 5 ms"),
  });
});
