import { z } from "zod";
import * as contracts from "../src/index.ts";

const isJob = (value: unknown): value is contracts.AnyJob =>
  typeof value === "object" && value !== null && "payload" in value && "queue" in value;

/** Every job that is exported, by `<queue>.<job>.v<N>`. */
export const jobs: ReadonlyMap<string, contracts.AnyJob> = new Map(
  (Object.values(contracts) as readonly unknown[])
    .filter(isJob)
    .map((job) => [`${job.queue.name}.${job.name}.v${job.version}`, job]),
);

/** JSON Schema (draft 2020-12) of what a producer puts into `job.data.payload` and gets back. */
const schemaOf = (job: contracts.AnyJob): object => ({
  title: `${job.name} v${job.version}`,
  queue: job.queue.name,
  payload: z.toJSONSchema(job.payload, { io: "input" }),
  result: z.toJSONSchema(job.result, { io: "output" }),
});

/** The file's exact text. */
export const schemaText = (job: contracts.AnyJob): string =>
  `${JSON.stringify(schemaOf(job), null, 2)}\n`;
