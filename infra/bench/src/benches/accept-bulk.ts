import type { Bench } from "../bench.ts";
import { interleave } from "../interleave.ts";
import { issuedInvoices } from "../issued-invoices.ts";
import { openServices } from "../services.ts";

const CONNECTIONS = 50;
const AT_ONCE = 100;

/** What it saves to ask for a hundred documents in one request. */
export const acceptBulk: Bench = {
  name: "accept-bulk",
  about: "invoices taken by POST /v1/invoice-runs, 100 at once, against 100 single requests",
  async run(context) {
    const count = context.sized(1_000, 3_000);
    const rounds = context.sized(3, 5);
    const services = await openServices(context);
    const { url } = await services.start("api");
    const caller = await context.subject("caller");
    const { companyId, ids } = await issuedInvoices(services, 2 * count * (rounds + 1));
    const post = async (requests: ReadonlyArray<{ path: string; body: string }>) => {
      const { headers } = services;
      const sample = await caller.ask("post", { url, requests, connections: CONNECTIONS, headers });
      const answersPerSecond = sample["perSecond"] ?? 0;
      return { ...sample, invoicesPerSecond: (answersPerSecond * count) / requests.length };
    };
    const seen = await interleave(
      {
        single: () =>
          post(ids.splice(-count).map((id) => ({ path: `/v1/invoices/${id}/pdf`, body: "{}" }))),
        bulk: () => {
          const of = ids.splice(-count);
          return post(
            Array.from({ length: count / AT_ONCE }, (_, n) => ({
              path: "/v1/invoice-runs",
              body: JSON.stringify({
                companyId,
                action: "render",
                ids: of.slice(n * AT_ONCE, (n + 1) * AT_ONCE),
              }),
            })),
          );
        },
      },
      { rounds, signal: context.signal },
    );
    context.table("invoices", seen, ["single", "bulk"]);
    context.compare(seen, {
      ours: "bulk",
      theirs: "single",
      against: "single requests",
      figure: "invoicesPerSecond",
      unit: "invoices/s",
      goal: { atLeast: 10 },
    });
  },
};
