import type { Stock } from "@ballast/database";
import { z } from "zod";
import type { AskedPush } from "../stock/change-stock.ts";
import { line, moment, uuid } from "./text.ts";

/** PostgreSQL's `int`; a listing of more is none. */
const MOST = 2_147_483_647;

export const sku = line(64).meta({ description: "Our article", example: "STONE-20" });

const change = {
  quantity: z.int().min(0).max(MOST).meta({ description: "What is there now.", example: 12 }),
  urgent: z
    .boolean()
    .default(false)
    .meta({ description: "To be told before everything else that waits." }),
};

const owner = {
  companyId: uuid("The company; needed by a key that reaches all").optional(),
};

export const StockInput = z.strictObject({ ...owner, ...change }).meta({ id: "StockInput" });

export const BulkStockInput = z
  .strictObject({
    ...owner,
    items: z
      .array(z.strictObject({ sku, ...change }))
      .min(1)
      .max(10_000)
      .meta({ description: "Of two with one SKU the later wins." }),
  })
  .meta({ id: "BulkStockInput" });

const facts = {
  companyId: uuid("The company"),
  sku: z.string(),
  quantity: z.int(),
  version: z.int().meta({ description: "Counts the changes." }),
  updatedAt: moment,
};

const pushes = z
  .array(z.object({ accountId: uuid("The account"), requestId: uuid("Its push, at /v1/jobs") }))
  .meta({ description: "The accounts that will be told, each with the job that does it." });

export const StockBody = z.object(facts).meta({ id: "Stock" });
export const StockSetBody = z.object({ ...facts, pushes }).meta({ id: "StockSet" });
export const BulkStockBody = z
  .object({ articles: z.int().meta({ description: "Different articles of the request." }), pushes })
  .meta({ id: "BulkStock" });

export const stockBody = (stock: Stock, asked?: readonly AskedPush[]) => ({
  ...stock,
  version: Number(stock.version),
  ...(asked === undefined ? {} : { pushes: asked }),
});
