import type { Bench } from "../bench.ts";
import { interleave } from "../interleave.ts";

/** What a call to a marketplace costs with all that protects it, beside the client most people take. */
export const outbound: Bench = {
  name: "outbound",
  about:
    "our way out with quota, gate and time limits against axios as it comes, POST JSON, 50 at a time",
  async run(context) {
    const databaseUrl = await context.servers.database();
    const remote = await context.subject("remote");
    const { port } = await remote.ask("listen");
    const url = `http://127.0.0.1:${port}/`;
    const count = context.sized(1_500, 10_000);
    const theirs = await context.subject("axios-calls");
    const ours = await context.subject("our-calls");
    await ours.ask("open", { databaseUrl });
    const seen = await interleave(
      {
        axios: () => theirs.ask("call", { url, count }),
        ours: () => ours.ask("call", { url, count }),
      },
      { rounds: context.sized(3, 7), signal: context.signal },
    );
    context.table("calls", seen, ["axios", "ours"]);
    const said = { ours: "ours", theirs: "axios", against: "axios as it comes" } as const;
    const speed = { figure: "perSecond", unit: "calls/s", goal: { atLeast: 2.2 } };
    context.compare(seen, { ...said, ...speed });
    context.note(
      "a call that fails is tried again by its job, under the gate, so no side repeats calls by itself",
    );
  },
};
