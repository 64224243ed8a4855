import pg from "pg";
import type { Bench } from "../bench.ts";
import { interleave } from "../interleave.ts";
import { issuedInvoices } from "../issued-invoices.ts";
import { cpuSecondsOf } from "../servers.ts";
import { openServices } from "../services.ts";

const CONNECTIONS = 50;

/** What it takes to be told 202 and to be able to rely on it. */
export const accept: Bench = {
  name: "accept",
  about:
    "POST …/pdf with auth, validation and a commit before 202, against Express + one committed INSERT + queue.add, and against queue.add alone",
  async run(context) {
    const count = context.sized(500, 5_000);
    const rounds = context.sized(3, 5);
    const services = await openServices(context);
    const api = await services.start("api");
    const caller = await context.subject("caller");
    const same = await context.subject("express-accept");
    const none = await context.subject("express-accept");
    const redisUrl = services.queueUrl;
    const databaseUrl = await context.servers.emptyDatabase();
    const { port: samePort } = await same.ask("listen", { redisUrl, databaseUrl });
    const { port: nonePort } = await none.ask("listen", { redisUrl });

    // A second wish for one document would join the first, which is less work.
    const { ids } = await issuedInvoices(services, count * (rounds + 1));
    const any = ids.slice(0, count);
    const post = (url: string, of: readonly string[]) =>
      caller.ask("post", {
        url,
        requests: of.map((id) => ({ path: `/v1/invoices/${id}/pdf`, body: "{}" })),
        connections: CONNECTIONS,
        headers: services.headers,
      });
    const rival = (subject: typeof same, port: number | undefined) => async () => {
      await subject.ask("begin");
      const seen = await post(`http://127.0.0.1:${port}`, any);
      return { ...seen, ...(await subject.ask("cost", { count })) };
    };
    const seen = await interleave(
      {
        ours: async () => {
          const before = cpuSecondsOf(api.pid);
          const sample = await post(api.url, ids.splice(-count));
          const spent = cpuSecondsOf(api.pid) - before;
          return { ...sample, cpuSecondsPer10k: (spent / count) * 10_000 };
        },
        same: rival(same, samePort),
        none: rival(none, nonePort),
      },
      { rounds, signal: context.signal },
    );
    context.table("requests", seen, ["ours", "same", "none"]);
    const said = { ours: "ours", figure: "perSecond", unit: "requests/s" } as const;
    const samePromise = "Express + committed INSERT + queue.add";
    context.compare(seen, {
      ...said,
      theirs: "same",
      against: samePromise,
      goal: { atLeast: 1.5 },
    });
    const noPromise = "Express + queue.add, no promise";
    context.compare(seen, { ...said, theirs: "none", against: noPromise, goal: { atLeast: 0.6 } });
    context.note(`a commit alone takes ${(await commitMs(databaseUrl)).toFixed(2)} ms here`);
  },
};

/** The median of single commits, which is what the disk allows. */
async function commitMs(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const tookMs: number[] = [];
  for (let n = 0; n < 51; n++) {
    const began = performance.now();
    await client.query("INSERT INTO wishes (invoice_id) VALUES (gen_random_uuid())");
    tookMs.push(performance.now() - began);
  }
  await client.end();
  return tookMs.sort((a, b) => a - b)[25] ?? 0;
}
