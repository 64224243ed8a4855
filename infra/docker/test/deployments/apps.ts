import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  deadLetter,
  email,
  jobContracts,
  marketplaceSync,
  pdf,
  type QueueDefinition,
} from "@ballast/contracts";
import { root } from "@ballast/local";
import type { z } from "zod";
import { CLOSES_WITHIN_MS } from "../../../../apps/api/src/server.ts";
import { appsOf } from "../../src/image.ts";
import { dockerfile, envOf } from "../stages.ts";

/** What the code says of an app, for whatever runs it. */
export interface App {
  readonly name: string;
  readonly queue: QueueDefinition | undefined;
  /** What it may take to stop. */
  readonly graceMs: number;
  /** The longest its contracts let an attempt take. */
  readonly longestAttemptMs: number;
  /** Where its image listens, by the names that Kubernetes gives: for operators, and of the API for callers. */
  readonly ports: { readonly ops: number; readonly http?: number };
  /** Its variables. */
  readonly shape: Readonly<Record<string, z.ZodType>>;
}

const QUEUES: Readonly<Record<string, QueueDefinition>> = {
  "pdf-worker": pdf,
  "email-worker": email,
  "marketplace-sync-worker": marketplaceSync,
  "dlq-notifier": deadLetter,
};
/** After a queue's grace: time for outcomes to reach the engine, and for stores to be left. */
const LAST_WORDS_MS = 5_000;

export const apps: readonly App[] = await Promise.all(appsOf(root).map(readApp));

async function readApp(name: string): Promise<App> {
  const config = pathToFileURL(join(root, "apps", name, "src/config.ts")).href;
  const { EnvSchema } = (await import(config)) as { EnvSchema: z.ZodObject };
  const queue = QUEUES[name];
  const { OPS_PORT, API_PORT } = envOf(name);
  const attempts = jobContracts.filter((job) => job.queue === queue).map((job) => job.timeoutMs);
  return {
    name,
    queue,
    graceMs: queue === undefined ? CLOSES_WITHIN_MS : queue.gracePeriodMs + LAST_WORDS_MS,
    longestAttemptMs: Math.max(0, ...attempts),
    ports: {
      ops: Number(OPS_PORT),
      ...(API_PORT === undefined ? {} : { http: Number(API_PORT) }),
    },
    shape: EnvSchema.shape as Record<string, z.ZodType>,
  };
}

/** What an image sets by itself, of which one that needs a value has it. */
const setByImages = new Set(
  [...dockerfile.stages.keys()].flatMap((stage) => Object.keys(envOf(stage))),
);

/** What is wrong with the environment that somebody gives to an app; values with a `$` are known to them alone. */
export function environmentProblems(
  { name: app, shape }: App,
  env: Readonly<Record<string, string>>,
): string[] {
  const given = new Map(Object.entries(env));
  const isGiven = (name: string) => given.has(name) || given.has(`${name}_FILE`);
  const unknown = [...given.keys()].filter(
    (name) => shape[name.replace(/_FILE$/, "")] === undefined,
  );
  const missing = Object.entries(shape)
    .filter(([name, field]) => !field.safeParse(undefined).success && !isGiven(name))
    .map(([name]) => name)
    .filter((name) => !setByImages.has(name));
  const wrong = [...given].filter(
    ([name, value]) => !value.includes("$") && shape[name]?.safeParse(value).success === false,
  );
  const twice = [...given.keys()].filter((name) => given.has(`${name}_FILE`));
  return [
    ...unknown.map((name) => `${app} reads no ${name}`),
    ...missing.map((name) => `${app} is not given ${name}`),
    ...wrong.map(([name, value]) => `${app} does not take ${value} for ${name}`),
    ...twice.map((name) => `${app} is given ${name} and ${name}_FILE`),
  ];
}
