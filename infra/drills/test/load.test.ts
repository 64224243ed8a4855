import { expect, test } from "vitest";
import { insist, load } from "../src/load.ts";
import type { Reply } from "../src/stack/client.ts";

const refusal = { status: 503, headers: new Headers({ "retry-after": "60" }), ms: 1 } as Reply;

test("a load that insists ends with what it was answered when its drill is over", async () => {
  const over = new AbortController();
  const running = load({
    perSecond: 100,
    seconds: 600,
    request: () => insist(async () => refusal, { signal: over.signal, hear: () => over.abort() }),
    signal: over.signal,
  });
  const { refused } = await running;
  expect(refused).toEqual({ 503: 1 });
});
