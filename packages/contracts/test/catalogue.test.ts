import { expect, test } from "vitest";
import { jobs } from "../scripts/schemas.ts";
import * as contracts from "../src/index.ts";

const { jobContracts, queueDefinitions } = contracts;
const isQueue = (value: unknown): value is contracts.QueueDefinition =>
  typeof value === "object" && value !== null && "stalledIntervalMs" in value;

test("every job that is exported is in the catalogue: alerts hide what it calls private, and triage can replay it", () => {
  const exported = [...jobs.values()].map(({ name }) => name);
  expect(jobContracts.map(({ name }) => name).sort()).toEqual(exported.sort());
});

test("every queue that is exported is in the catalogue, by a job of its own", () => {
  const exported = (Object.values(contracts) as readonly unknown[]).filter(isQueue);
  expect(queueDefinitions.map(({ name }) => name).sort()).toEqual(
    exported.map(({ name }) => name).sort(),
  );
});
