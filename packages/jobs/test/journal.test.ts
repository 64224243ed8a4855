import { until } from "@ballast/testing";
import { expect, test } from "vitest";
import { openJournal } from "../src/journal.ts";
import type { AttemptEnd, Progress } from "../src/store.ts";
import { quiet } from "./integration/setup.ts";

const end = (runId: string, result: unknown = null): AttemptEnd => ({
  attemptId: `attempt of ${runId}`,
  runId,
  outcome: "completed",
  startedAt: new Date(0),
  endedAt: new Date(0),
  worker: "host:1",
  result,
  code: null,
  message: null,
  stack: null,
  nextAttemptAt: null,
});

/** A store that takes what can be written as JSON, and nothing while it is away. */
function openStore() {
  const written: string[] = [];
  const progress: unknown[] = [];
  const store = {
    written,
    progress,
    away: false,
    async ended(ends: readonly AttemptEnd[]) {
      if (store.away) throw Object.assign(new Error("away"), { code: "ECONNREFUSED" });
      JSON.stringify(ends);
      written.push(...ends.map(({ runId }) => runId));
    },
    async progressed(updates: readonly Progress[]) {
      JSON.stringify(updates);
      progress.push(...updates.map(({ progress: said }) => said));
    },
  };
  return store;
}

test("an end that cannot be written keeps none of its neighbours from being written", async () => {
  const store = openStore();
  await using journal = openJournal(store, quiet);
  journal.ended(end("a"), false);
  journal.ended(end("poison", 1n), false);
  journal.ended(end("b"), false);
  journal.ended(end("c"), true);
  await until(() => store.written.length === 3);
  expect(store.written).toEqual(["a", "b", "c"]);
  await journal.flush(100);
});

test("progress that cannot be written keeps no end from being written", async () => {
  const store = openStore();
  await using journal = openJournal(store, quiet);
  const talking = setInterval(() => journal.progressed({ runId: "a", progress: 1n }), 20);
  journal.progressed({ runId: "a", progress: 1n });
  journal.ended(end("b"), true);
  await until(() => store.written.length === 1).finally(() => clearInterval(talking));
});

test("what could not be written while PostgreSQL was away is written when it is back", async () => {
  const store = openStore();
  await using journal = openJournal(store, quiet);
  store.away = true;
  journal.ended(end("a"), true);
  await expect(journal.flush(150)).rejects.toThrow("within 150 ms");
  store.away = false;
  journal.ended(end("b"), true);
  await until(() => store.written.length === 2);
  expect(store.written).toEqual(["a", "b"]);
});
