import { type Database, findProduct, listProducts, upsertProducts } from "@ballast/database";
import { z } from "zod";
import { scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { notFound } from "../http/problem.ts";
import { given, paging } from "../schemas/paging.ts";
import {
  BulkProductsBody,
  BulkProductsInput,
  ProductBody,
  ProductInput,
  ProductListBody,
  productBody,
} from "../schemas/product.ts";
import { sku } from "../schemas/stock.ts";
import { line, uuid } from "../schemas/text.ts";
import { productExample } from "./examples.ts";
import { ownerOf } from "./owner.ts";

interface Deps {
  readonly database: Pick<Database, "kysely">;
  readonly bodyLimitBytes: number;
}

const Params = z.object({ sku });
const companyId = uuid("The company; needed by a key that reaches all").optional();

/** The articles of a company: what stock is of, and what listings list. */
export const productRoutes = ({ database, bodyLimitBytes }: Deps): Endpoint[] => [
  write({
    method: "put",
    path: "/v1/products/{sku}",
    operationId: "putProduct",
    tag: "Products",
    scope: "write",
    summary: "Create an article or replace its facts",
    description: "Its stock is set apart, with `PUT /v1/stock/{sku}`.",
    params: Params,
    query: z.object({}),
    body: ProductInput,
    example: productExample,
    answers: {
      200: { description: "Replaced.", schema: ProductBody },
      201: { description: "Created.", schema: ProductBody },
    },
    problems: ["not-found"],
    async handle({ caller, params: { sku: article }, body: { companyId: named, ...facts }, tx }) {
      const owner = await ownerOf(tx, caller, named, undefined);
      const before = await findProduct(tx, owner, article);
      const unitPriceMinor = BigInt(facts.unitPriceMinor);
      const product = { ...facts, companyId: owner, sku: article, unitPriceMinor };
      await upsertProducts(tx, [product]);
      return { status: before === undefined ? 201 : 200, body: productBody(product) };
    },
  }),

  write({
    method: "post",
    path: "/v1/products",
    operationId: "postProducts",
    tag: "Products",
    scope: "write",
    summary: "Create or replace up to 10,000 articles",
    description: "All of them or, if one is wrong, none. Articles that are not named stay.",
    params: z.object({}),
    query: z.object({}),
    body: BulkProductsInput,
    bodyLimitBytes,
    example: { items: [{ sku: "STONE-20", ...productExample }] },
    answers: { 200: { description: "Stored.", schema: BulkProductsBody } },
    problems: ["not-found"],
    async handle({ caller, body: { companyId: named, items }, tx }) {
      const owner = await ownerOf(tx, caller, named, undefined);
      await upsertProducts(
        tx,
        items.map((item) => ({
          ...item,
          companyId: owner,
          unitPriceMinor: BigInt(item.unitPriceMinor),
        })),
      );
      return { status: 200, body: { products: new Set(items.map((item) => item.sku)).size } };
    },
  }),

  read({
    method: "get",
    path: "/v1/products/{sku}",
    operationId: "getProduct",
    tag: "Products",
    scope: "read",
    summary: "Read an article",
    params: Params,
    query: z.strictObject({ companyId }),
    answers: { 200: { description: "The article.", schema: ProductBody } },
    problems: ["not-found", "invalid-body"],
    async handle({ caller, params: { sku: article }, query }) {
      const db = database.kysely;
      const owner = await ownerOf(db, caller, query.companyId, undefined);
      const product = await findProduct(db, owner, article);
      if (product === undefined) throw notFound("product", article);
      return { status: 200, body: productBody(product) };
    },
  }),

  read({
    method: "get",
    path: "/v1/products",
    operationId: "listProducts",
    tag: "Products",
    scope: "read",
    summary: "List articles by company and SKU",
    params: z.object({}),
    query: z.strictObject({
      companyId,
      limit: paging.limit,
      cursor: line(101)
        .regex(/^[0-9a-f-]{36}\/./, "must be `nextCursor` of the page before")
        .optional()
        .meta({ description: "`nextCursor` of the page before." }),
    }),
    answers: { 200: { description: "A page.", schema: ProductListBody } },
    problems: [],
    async handle({ caller, query }) {
      const { products, nextCursor } = await listProducts(
        database.kysely,
        scopeOf(caller),
        given(query),
      );
      return { status: 200, body: { products: products.map(productBody), nextCursor } };
    },
  }),
];
