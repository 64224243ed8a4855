import { type Database, findStock, type Tx, UnknownSkuError } from "@ballast/database";
import type { Dispatcher, Requests } from "@ballast/jobs";
import { z } from "zod";
import { requestedBy } from "../http/caller.ts";
import { type Endpoint, grouped, read, write } from "../http/endpoint.ts";
import { refusal } from "../http/field-errors.ts";
import { notFound } from "../http/problem.ts";
import {
  BulkStockBody,
  BulkStockInput,
  StockBody,
  StockInput,
  StockSetBody,
  sku,
  stockBody,
} from "../schemas/stock.ts";
import { uuid } from "../schemas/text.ts";
import { changeStock } from "../stock/change-stock.ts";
import type { StockChanges } from "../stock/group-commit.ts";
import { ownerOf } from "./owner.ts";

interface Deps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
  readonly stockChanges: StockChanges;
  readonly bodyLimitBytes: number;
}

const Params = z.object({ sku });

/** What is there of each article; every marketplace account that lists it is told. */
export const stockRoutes = (deps: Deps): Endpoint[] => [
  grouped({
    method: "put",
    commitsItself: true,
    path: "/v1/stock/{sku}",
    operationId: "putStock",
    asksForWork: true,
    tag: "Stock",
    scope: "write",
    summary: "Set the stock of an article",
    description:
      "Committed together with other changes that come at the same moment; the last value of an article wins. A value that is as it was changes nothing.",
    params: Params,
    query: z.object({}),
    body: StockInput,
    example: { quantity: 12 },
    answers: { 200: { description: "Set.", schema: StockSetBody } },
    problems: ["not-found"],
    async handle({ caller, params: { sku: article }, body, traceparent }) {
      const companyId = await ownerOf(deps.database.kysely, caller, body.companyId, undefined);
      const changer = { companyId, requestedBy: requestedBy(caller), traceparent };
      const { quantity, urgent } = body;
      const set = await deps.stockChanges
        .set({ sku: article, quantity, urgent }, changer)
        .catch((error: unknown) => {
          if (error instanceof UnknownSkuError) throw unknownProduct(article);
          throw error;
        });
      return { status: 200, body: stockBody(set.stock, set.pushes) };
    },
  }),

  read({
    method: "get",
    path: "/v1/stock/{sku}",
    operationId: "getStock",
    tag: "Stock",
    scope: "read",
    summary: "Read the stock of an article",
    params: Params,
    query: z.strictObject({
      companyId: uuid("The company; needed by a key that reaches all").optional(),
    }),
    answers: { 200: { description: "What is there.", schema: StockBody } },
    problems: ["not-found", "invalid-body"],
    async handle({ caller, params: { sku: article }, query }) {
      const db = deps.database.kysely;
      const companyId = await ownerOf(db, caller, query.companyId, undefined);
      const stock = await findStock(db, companyId, article);
      if (stock === undefined) throw notFound("stock of", article);
      return { status: 200, body: stockBody(stock) };
    },
  }),

  write({
    method: "post",
    path: "/v1/stock",
    operationId: "postStock",
    asksForWork: true,
    tag: "Stock",
    scope: "write",
    summary: "Set the stock of up to 10,000 articles",
    description: "All of them or, if one is unknown or wrong, none.",
    params: z.object({}),
    query: z.object({}),
    body: BulkStockInput,
    bodyLimitBytes: deps.bodyLimitBytes,
    example: {
      items: [
        { sku: "STONE-20", quantity: 12 },
        { sku: "STONE-40", quantity: 0, urgent: true },
      ],
    },
    answers: { 200: { description: "Set.", schema: BulkStockBody } },
    problems: ["not-found"],
    async handle({ caller, body, traceparent, tx }) {
      const companyId = await ownerOf(tx, caller, body.companyId, undefined);
      const changer = { companyId, requestedBy: requestedBy(caller), traceparent };
      const { stock, pushes } = await changeStock(tx, deps.requests, body.items, changer).catch(
        (error: unknown) => {
          if (error instanceof UnknownSkuError) throw unknownSkus(error, body.items);
          throw error;
        },
      );
      return {
        status: 200,
        body: { articles: stock.length, pushes },
        committed: () => deps.dispatcher.nudge(),
      };
    },
  }),
];

const unknownProduct = (article: string) =>
  notFound(
    "product",
    `${article}: create it first with PUT /v1/products/${encodeURIComponent(article)}`,
  );

/** Names each by its place. */
export function unknownSkus(
  { skus }: UnknownSkuError,
  items: readonly { readonly sku: string }[],
  list = "items",
) {
  const unknown = new Set(skus);
  const errors = items.flatMap(({ sku: article }, index) =>
    unknown.has(article)
      ? [
          {
            path: `${list}.${index}.sku`,
            message: `must be a product: there is no ${article}, create it first with PUT /v1/products`,
          },
        ]
      : [],
  );
  return refusal("invalid-body", errors);
}
