import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { claimPort, freePort } from "../src/free-port.ts";

test("two stacks that ask for the same free port at once get two ports, and it is free again afterwards", async () => {
  const wanted = await freePort();
  const [one, two] = await Promise.all([claimPort(wanted), claimPort(wanted)]);
  expect([one.port, two.port]).toContain(wanted);
  expect(one.port).not.toBe(two.port);
  await one[Symbol.asyncDispose]();
  await two[Symbol.asyncDispose]();
  await using again = await claimPort(wanted);
  expect(again.port).toBe(wanted);
});

test("a port that somebody else listens on is passed over", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const taken = typeof address === "object" && address ? address.port : 0;
  try {
    await using claimed = await claimPort(taken);
    expect(claimed.port).toBeGreaterThan(taken);
  } finally {
    server.close();
  }
});
