/** Callers of an API: so many connections, each with one request under way at any time. */
import { Pool } from "undici";
import { startingId } from "../src/finish-line.ts";
import { atATime, latencies, measured, serveSubject } from "../src/subject-program.ts";

interface Load {
  readonly url: string;
  readonly requests: ReadonlyArray<{ readonly path: string; readonly body: string }>;
  readonly connections: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface Wishes {
  readonly url: string;
  readonly count: number;
  readonly connections: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Asked at this pace, however slow the answers are; default: each connection asks again once it is answered. */
  readonly perSecond?: number;
}

serveSubject({
  post: async ({ url, requests, connections, headers }: Load) => {
    const http = new Pool(url, { connections });
    const tookMs: number[] = [];
    let refused = 0;
    const sample = await measured(requests.length, () =>
      atATime(connections, requests.length, async (n) => {
        const { path, body } = requests[n] ?? { path: "/", body: "" };
        const began = performance.now();
        const answer = await again(() => http.request({ method: "POST", path, headers, body }));
        const text = await answer.body.text();
        // Busy is an answer, but no acceptance.
        if (answer.statusCode === 503) refused += 1;
        else if (answer.statusCode !== 202)
          throw new Error(`${path} answers ${answer.statusCode}: ${text}`);
        tookMs.push(performance.now() - began);
      }),
    );
    await http.close();
    const answersPerSecond = sample["perSecond"] ?? 0;
    const perSecond = answersPerSecond * (1 - refused / requests.length);
    return { perSecond, refused, ...latencies(tookMs) };
  },
  /** Jobs that carry the moment they were asked for. */
  wish: async ({ url, count, connections, headers, perSecond }: Wishes) => {
    const http = new Pool(url, { connections });
    const wish = async (n: number) => {
      const body = JSON.stringify({ job: "echo", payload: { id: startingId(n) } });
      const ask = () => http.request({ method: "POST", path: "/v1/jobs", headers, body });
      const answer = await again(ask);
      const text = await answer.body.text();
      if (answer.statusCode !== 202) throw new Error(`answers ${answer.statusCode}: ${text}`);
    };
    if (perSecond === undefined) await atATime(connections, count, wish);
    else await paced(perSecond, count, wish);
    await http.close();
    return {};
  },
});

/** Begin `count` tasks at their times, and wait for all. */
async function paced(
  perSecond: number,
  count: number,
  task: (n: number) => Promise<unknown>,
): Promise<void> {
  const began = performance.now();
  const running: Array<Promise<unknown>> = [];
  while (running.length < count) {
    const due = Math.min(count, ((performance.now() - began) / 1_000) * perSecond);
    while (running.length < due) running.push(task(running.length));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
}

/** A connection that was closed while nobody used it is no answer: ask once more. */
async function again<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== "ECONNRESET" && code !== "UND_ERR_SOCKET") throw error;
    return await ask();
  }
}
