import { DependencyDownError, PermanentError, RateLimitedError } from "@ballast/jobs";
import { expect, test } from "vitest";
import { Gate } from "../../src/channels/gate.ts";

const down = () => Promise.reject(new DependencyDownError("channel_down", "away"));

function setup() {
  const clock = { ms: 1_000_000 };
  const gate = new Gate({ name: "channel slack", now: () => clock.ms });
  const failure = (work: () => Promise<unknown>) => gate.through(work).catch((e: unknown) => e);
  return { gate, clock, failure };
}

test("no more than two wait for a channel; the next are put off without asking it", async () => {
  const { gate, failure } = setup();
  const end = Promise.withResolvers<string>();
  const first = [gate.through(() => end.promise), gate.through(() => end.promise)];
  let asked = false;
  expect(
    await failure(async () => {
      asked = true;
    }),
  ).toMatchObject({ code: "channel_busy", retryAfterMs: 500 });
  expect(asked).toBe(false);
  end.resolve("ok");
  await Promise.all(first);
  expect(await gate.through(async () => "through")).toBe("through");
});

test("what is down costs one probe at a time, 5 s apart, doubling to 60 s, until it is back", async () => {
  const { gate, clock, failure } = setup();
  const waits: unknown[] = [];
  for (let probe = 0; probe < 6; probe++) {
    const { retryAfterMs } = (await failure(down)) as DependencyDownError;
    waits.push(retryAfterMs);
    expect(await failure(async () => "not asked")).toMatchObject({ code: "channel_closed" });
    clock.ms += retryAfterMs ?? 0;
  }
  expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  expect(await gate.through(async () => "back")).toBe("back");
  expect(await failure(down)).toMatchObject({ retryAfterMs: 5_000 });
});

test("what asks to wait is left alone for that long", async () => {
  const { gate, clock, failure } = setup();
  await failure(() =>
    Promise.reject(new RateLimitedError("channel_limited", "slow", { retryAfterMs: 7_000 })),
  );
  clock.ms += 6_999;
  expect(await failure(async () => "x")).toMatchObject({ code: "channel_closed", retryAfterMs: 1 });
  clock.ms += 1;
  expect(await gate.through(async () => "x")).toBe("x");
});

test("an alert that can never be sent closes nothing", async () => {
  const { gate, failure } = setup();
  await failure(() => Promise.reject(new PermanentError("alert_rejected", "no")));
  expect(await gate.through(async () => "open")).toBe("open");
});
