import type { Product } from "@ballast/database";
import { z } from "zod";
import { currency } from "./currency.ts";
import { owner } from "./customer.ts";
import { sku } from "./stock.ts";
import { line, uuid } from "./text.ts";

const facts = {
  name: line(200).meta({ example: "Ballast stone, 20 kg" }),
  unitPriceMinor: z.int().min(0).max(1e15).meta({
    description: "Net, in the currency's smallest unit.",
    example: 1995,
  }),
  currency,
};

export const ProductInput = z.strictObject({ ...owner, ...facts }).meta({ id: "ProductInput" });

export const BulkProductsInput = z
  .strictObject({
    ...owner,
    items: z
      .array(z.strictObject({ sku, ...facts }))
      .min(1)
      .max(10_000)
      .meta({ description: "Of two with one SKU the later wins." }),
  })
  .meta({ id: "BulkProductsInput" });

export const ProductBody = z
  .object({ companyId: uuid("The company"), sku: z.string(), ...facts })
  .meta({ id: "Product" });

export const BulkProductsBody = z
  .object({ products: z.int().meta({ description: "Different articles of the request." }) })
  .meta({ id: "BulkProducts" });

export const ProductListBody = z.object({
  products: z.array(ProductBody),
  nextCursor: z.string().nullable().meta({ description: "`null` on the last page." }),
});

export const productBody = (product: Product) => ({
  ...product,
  unitPriceMinor: Number(product.unitPriceMinor),
});
