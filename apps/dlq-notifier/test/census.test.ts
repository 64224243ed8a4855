import type { Log } from "@ballast/jobs";
import { openTelemetry } from "@ballast/service";
import { createTestDatabase, until } from "@ballast/testing";
import { expect, test } from "vitest";
import { startCensus } from "../src/rounds/census.ts";

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
/** Far less than a census keeps its part for. */
const SOON = { deadlineMs: 10_000 };

async function setup() {
  const stack = new AsyncDisposableStack();
  const { db } = stack.use(await createTestDatabase());
  return {
    db,
    census() {
      const stopping = new AbortController().signal;
      const { telemetry } = openTelemetry({ service: "test", level: "silent", stopping });
      const rounds = stack.use(startCensus(db, telemetry.metrics, quiet));
      return { rounds, text: () => telemetry.registry.metrics() };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
const counts = async ({ text }: { readonly text: () => Promise<string> }) =>
  /^ballast_dead_letters\{/m.test(await text());

test("a queue without letters has 0 open ones, so that the first to come is one more", async () => {
  await using t = await setup();
  const census = t.census();
  await until(() => counts(census), SOON);
  expect(await census.text()).toContain(`ballast_dead_letters{queue="pdf",state="open"} 0`);
});

test("one notifier counts, and another as soon as that one has ended", async () => {
  await using t = await setup();
  const first = t.census();
  await until(() => counts(first), SOON);
  const second = t.census();
  second.rounds.wake();
  expect(await counts(second)).toBe(false);

  await first.rounds[Symbol.asyncDispose]();
  await until(() => {
    second.rounds.wake();
    return counts(second);
  }, SOON);
});

test("while the database is away nobody says how many letters there are", async () => {
  await using t = await setup();
  const census = t.census();
  await until(() => counts(census), SOON);

  await t.db[Symbol.asyncDispose]();
  census.rounds.wake();
  await until(async () => !(await counts(census)), SOON);
});
