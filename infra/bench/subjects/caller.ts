/** Callers of an API: so many connections, each with one request under way at any time. */
import { Pool } from "undici";
import { atATime, latencies, measured, serveSubject } from "../src/subject-program.ts";

interface Load {
  readonly url: string;
  readonly requests: ReadonlyArray<{ readonly path: string; readonly body: string }>;
  readonly connections: number;
  readonly headers: Readonly<Record<string, string>>;
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
        const answer = await http.request({ method: "POST", path, headers, body });
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
});
