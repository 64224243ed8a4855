import type { Bench, BenchContext } from "../bench.ts";
import { interleave, type Round } from "../interleave.ts";
import { installRivals } from "../rivals.ts";
import { openServices } from "../services.ts";
import type { Subject } from "../subject.ts";

const CONNECTIONS = 50;
const PER_SECOND = 200;

/** From a request to the end of the job that it asked for. */
export const endToEnd: Bench = {
  name: "end-to-end",
  about:
    "a request, its commit, and a job that does nothing, against pg-boss and graphile-worker behind an Express route that enqueues in its transaction",
  async run(context) {
    await installRivals(context.signal);
    const sides = {
      ours: await openOurs(context),
      pgBoss: await openRival(context, "pg-boss"),
      graphile: await openRival(context, "graphile-worker"),
    };
    const caller = await context.subject("caller");
    const turnsOf = (load: { count: number; perSecond?: number }) => {
      const turn =
        (side: Side): Round =>
        async () => {
          await side.worker.ask("expect", { count: load.count });
          const { url, headers } = side;
          await caller.ask("wish", { url, headers, connections: CONNECTIONS, ...load });
          return await side.worker.ask("finished");
        };
      return { ours: turn(sides.ours), pgBoss: turn(sides.pgBoss), graphile: turn(sides.graphile) };
    };
    const rounds = { rounds: context.sized(3, 5), signal: context.signal };
    const calm = { count: context.sized(300, 1_000), perSecond: PER_SECOND };
    const paced = await interleave(turnsOf(calm), rounds);
    context.table(`${PER_SECOND} requests a second`, paced, ["ours", "pgBoss", "graphile"]);
    const busy = await interleave(turnsOf({ count: context.sized(500, 3_000) }), rounds);
    context.table(`${CONNECTIONS} connections`, busy, ["ours", "pgBoss", "graphile"]);

    const rivals = { pgBoss: "pg-boss", graphile: "graphile-worker" } as const;
    for (const theirs of ["pgBoss", "graphile"] as const) {
      const said = { ours: "ours", theirs, against: rivals[theirs] } as const;
      const latency = { figure: "p50Ms", unit: "ms", goal: { atMost: 1 } };
      context.compare(paced, { ...said, ...latency });
      const speed = { figure: "perSecond", unit: "jobs/s", goal: { atLeast: 1 } };
      context.compare(busy, { ...said, ...speed });
    }
  },
};

interface Side {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly worker: Subject;
}

async function openOurs(context: BenchContext): Promise<Side> {
  const services = await openServices(context);
  const { url } = await services.start("api");
  const worker = await context.subject("our-worker");
  const { databaseUrl, queueUrl, queuePrefix, headers } = services;
  await worker.ask("work", { url: queueUrl, prefix: queuePrefix, databaseUrl });
  return { url, headers, worker };
}

async function openRival(context: BenchContext, program: string): Promise<Side> {
  const databaseUrl = await context.servers.emptyDatabase();
  const api = await context.subject(program);
  const { port } = await api.ask("listen", { databaseUrl });
  const worker = await context.subject(program);
  await worker.ask("work", { databaseUrl });
  return {
    url: `http://127.0.0.1:${port}`,
    headers: { "content-type": "application/json" },
    worker,
  };
}
