import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { ApiClient } from "./api-client.ts";

const Job = z.object({
  job: z.string(),
  state: z.enum(["waiting", "started", "completed", "dead", "cancelled"]),
  progress: z.unknown(),
  result: z.unknown(),
  waits: z.object({ message: z.string() }).nullish(),
  error: z.object({ message: z.string().nullish() }).nullish(),
});

const pollMs = 100;
const longestMs = 180_000;

/**
 * Watch a job until it is over and tell each change.
 *
 * @param location what the 202 answered with, `/v1/jobs/{id}`
 * @returns its result
 * @throws if it ended otherwise than completed, or does not end
 */
export async function followJob(
  api: ApiClient,
  location: string,
  tell: (text: string) => void,
  signal: AbortSignal,
): Promise<unknown> {
  const deadline = performance.now() + longestMs;
  let told = "";
  for (;;) {
    const job = Job.parse((await api.call("GET", location)).body);
    const text = describe(job);
    if (text !== told) tell(`${job.job} ${text}`);
    told = text;
    if (job.state === "completed") return job.result;
    if (job.state === "dead" || job.state === "cancelled") {
      throw new Error(`${job.job} ended ${job.state}: ${job.error?.message ?? "no reason given"}`);
    }
    if (performance.now() > deadline) {
      throw new Error(`${job.job} is not over after ${longestMs / 1_000} s: ${text} (${location})`);
    }
    await sleep(pollMs, undefined, { signal });
  }
}

function describe(job: z.output<typeof Job>): string {
  const progress = job.progress == null ? "" : `, ${readable(job.progress)}`;
  if (job.state === "waiting") return job.waits ? `waits: ${job.waits.message}` : "waits";
  return job.state === "started" ? `runs${progress}` : `is ${job.state}`;
}

/** `{ step: "printing", pages: 12 }` reads as "step printing, pages 12". */
const readable = (progress: unknown): string =>
  progress !== null && typeof progress === "object"
    ? Object.entries(progress)
        .map(([name, value]) => `${name} ${value}`)
        .join(", ")
    : String(progress);
