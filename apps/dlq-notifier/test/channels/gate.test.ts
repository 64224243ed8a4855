import { PermanentError } from "@ballast/jobs";
import { expect, test } from "vitest";
import { Gate } from "../../src/channels/gate.ts";
import { unguarded } from "../unguarded.ts";

const { signal } = new AbortController();

test("no more than two wait for a channel; the next are put off without asking it", async () => {
  const gate = new Gate({ name: "channel slack", guard: unguarded() });
  const end = Promise.withResolvers<string>();
  const first = [gate.through(() => end.promise, signal), gate.through(() => end.promise, signal)];
  let asked = false;
  const third = gate.through(async () => {
    asked = true;
  }, signal);
  await expect(third).rejects.toMatchObject({ code: "channel_busy", retryAfterMs: 500 });
  expect(asked).toBe(false);
  end.resolve("ok");
  await Promise.all(first);
  expect(await gate.through(async () => "through", signal)).toBe("through");
});

test("one that failed gives its place back", async () => {
  const gate = new Gate({ name: "channel slack", guard: unguarded(), concurrency: 1 });
  const fail = () => Promise.reject(new PermanentError("alert_rejected", "no"));
  await expect(gate.through(fail, signal)).rejects.toMatchObject({ code: "alert_rejected" });
  expect(await gate.through(async () => "through", signal)).toBe("through");
});
