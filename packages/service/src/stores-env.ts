import { z } from "zod";

/** Variables of the two stores; spread it into the schema of an app that uses them. */
export const storesEnv = {
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .describe("where PostgreSQL is, e.g. postgres://user:password@host:5432/ballast"),
  QUEUE_URL: z
    .string()
    // No more is asked here: sentinels and nodes are several hosts, which no URL has. The engine reads the rest.
    .regex(/^(rediss?(\+(sentinel|cluster))?|postgres(ql)?):\/\/\S+$/, "no engine has this scheme")
    .describe(
      "where the queue engine is: redis://…, rediss://…, redis+sentinel://…, redis+cluster://… or postgres://…",
    ),
  QUEUE_PREFIX: z
    .string()
    .regex(/^[\w-]+$/)
    .default("bull")
    .describe("what BullMQ's keys in Redis begin with; other teams use its default, bull"),
};

/** What the runtime needs to open the engine. */
export const queueConfig = (env: z.output<z.ZodObject<typeof storesEnv>>) => ({
  url: env.QUEUE_URL,
  prefix: env.QUEUE_PREFIX,
});
