import { setTimeout as pause } from "node:timers/promises";
import type { Reply } from "./stack/client.ts";

/** What became of a load. */
export interface LoadReport {
  readonly sent: number;
  /** Requests that were accepted: where to follow each. */
  readonly accepted: readonly string[];
  /** Answers other than 202, by status; 0 is no answer at all. */
  readonly refused: Readonly<Record<number, number>>;
  readonly refusedCount: number;
  readonly slowestMs: number;
  readonly p99Ms: number;
}

interface LoadOptions {
  readonly perSecond: number;
  readonly seconds: number;
  /** The nth request, from 0. */
  readonly request: (n: number) => Promise<Reply>;
  /** Ends the load before its time. */
  readonly signal?: AbortSignal;
}

/** Send requests at a steady rate, whether or not the answers come: a slow API gets no rest for it. */
export async function load({
  perSecond,
  seconds,
  request,
  signal,
}: LoadOptions): Promise<LoadReport> {
  const total = Math.round(perSecond * seconds);
  const began = performance.now();
  const replies: Promise<Reply>[] = [];
  for (let n = 0; n < total; n++) {
    const lateMs = began + (n * 1_000) / perSecond - performance.now();
    if (lateMs > 0) await pause(lateMs);
    if (signal?.aborted) break;
    replies.push(request(n));
  }
  return reportOf(await Promise.all(replies));
}

interface InsistOptions {
  /** Ends the asking; the last answer stands. A load whose drill is over must not reject: nobody awaits it. */
  readonly signal: AbortSignal;
  /** Hears each answer, the last one too. */
  readonly hear?: (answer: Reply) => void;
}

/** As callers should: ask again when told to, or after a second when no answer came. `ask` sends the same key each time. */
export async function insist(
  ask: () => Promise<Reply>,
  { signal, hear }: InsistOptions,
): Promise<Reply> {
  for (;;) {
    const answer = await ask();
    hear?.(answer);
    const retryAfter = answer.status === 0 ? 1 : Number(answer.headers.get("retry-after"));
    if (answer.status === 202 || !(retryAfter > 0)) return answer;
    await pause(retryAfter * 1_000, undefined, { signal }).catch(() => {});
    if (signal.aborted) return answer;
  }
}

function reportOf(replies: readonly Reply[]): LoadReport {
  const refused: Record<number, number> = {};
  const accepted: string[] = [];
  for (const { status, headers } of replies) {
    const location = headers.get("location");
    if (status === 202 && location !== null) accepted.push(location);
    else refused[status] = (refused[status] ?? 0) + 1;
  }
  const times = replies.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    sent: replies.length,
    accepted,
    refused,
    refusedCount: replies.length - accepted.length,
    slowestMs: Math.round(times.at(-1) ?? 0),
    p99Ms: Math.round(times[Math.floor(times.length * 0.99)] ?? 0),
  };
}
