import { MarketplaceKind } from "@ballast/contracts";
import { JobError } from "@ballast/jobs";
import { startMarketplaceDouble } from "@ballast/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AccessTokens } from "../../src/adapters/access-token.ts";
import { openAdapter } from "../../src/adapters/open-adapter.ts";
import type { RemoteHttp } from "../../src/http/remote-http.ts";
import { openGuard } from "./setup.ts";

const { signal } = new AbortController();

/** Anything, and things that look right up to a point. */
const bodies = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      results: fc.array(fc.jsonValue()),
      update: fc.array(fc.jsonValue()),
      responses: fc.array(
        fc.record({ sku: fc.constantFrom("A", "B"), statusCode: fc.jsonValue() }),
      ),
      data: fc.record({ inventorySetQuantities: fc.jsonValue() }),
      errors: fc.array(fc.jsonValue()),
      status: fc.constantFrom("ACCEPTED", "INVALID", 5),
      access_token: fc.constant("token"),
    },
    { requiredKeys: [] },
  ),
);
const statuses = fc.constantFrom(200, 200, 200, 207, 400, 404, 422, 429, 500);

test.each(MarketplaceKind.options)(
  "whatever %s answers, there is one outcome for each item in their order, or an error of ours",
  async (kind) => {
    await using market = await startMarketplaceDouble({ kind, stock: { A: 1, B: 2, C: 3 } });
    const items = ["A", "B", "C"].map((sku) => ({
      sku,
      externalId: market.externalId(sku),
      quantity: 4,
    }));
    await fc.assert(
      fc.asyncProperty(statuses, bodies, async (status, body) => {
        const http: RemoteHttp = {
          request: async () => ({ status, headers: {}, body, excerpt: "", sizeBytes: 1 }),
          async [Symbol.asyncDispose]() {},
        };
        const adapter = openAdapter({
          kind,
          ...market.account,
          guard: openGuard().guard,
          http,
          tokens: new AccessTokens(),
          pause: async () => {},
        });
        const outcomes = await adapter.push(items, signal).catch((error) => {
          expect(error).toBeInstanceOf(JobError);
          return undefined;
        });
        if (outcomes !== undefined) expect(outcomes.map(({ sku }) => sku)).toEqual(["A", "B", "C"]);
        const page = await adapter.list(undefined, signal).catch((error) => {
          expect(error).toBeInstanceOf(JobError);
          return { items: [] };
        });
        for (const { quantity } of page.items) expect(Number.isFinite(quantity)).toBe(true);
      }),
      { numRuns: 300 },
    );
  },
);
