import {
  closeCorrectedLetters,
  type Database,
  findAccount,
  ListingTakenError,
  listListings,
  lockAccount,
  putListings,
  type Queryable,
  removeListing,
  type Tx,
  UnknownSkuError,
} from "@ballast/database";
import type { Dispatcher, Requests } from "@ballast/jobs";
import { z } from "zod";
import { type Caller, requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { refusal } from "../http/field-errors.ts";
import { notFound } from "../http/problem.ts";
import {
  ListingListBody,
  ListingsInput,
  ListingsPutBody,
  listingBody,
} from "../schemas/marketplace.ts";
import { given, paging } from "../schemas/paging.ts";
import { sku } from "../schemas/stock.ts";
import { line } from "../schemas/text.ts";
import { askPush } from "../stock/change-stock.ts";
import { AccountParams } from "./marketplace-accounts.ts";
import { unknownSkus } from "./stock.ts";

interface Deps {
  readonly database: Pick<Database, "kysely">;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
  readonly bodyLimitBytes: number;
}

/** Under which id our articles are listed at a marketplace. */
export const listingRoutes = ({
  database,
  requests,
  dispatcher,
  bodyLimitBytes,
}: Deps): Endpoint[] => [
  write({
    method: "put",
    path: "/v1/marketplace-accounts/{accountId}/listings",
    operationId: "putListings",
    asksForWork: true,
    tag: "Marketplaces",
    scope: "write",
    summary: "List up to 10,000 articles at an account, or correct their ids",
    description:
      "Articles that are not named stay as they are. One that was parked is tried again, and its dead letter is closed. What has stock is told.",
    params: AccountParams,
    query: z.object({}),
    body: ListingsInput,
    bodyLimitBytes,
    example: { listings: [{ sku: "STONE-20", externalId: "gid://shopify/InventoryItem/4711" }] },
    answers: { 200: { description: "Listed.", schema: ListingsPutBody } },
    problems: ["not-found"],
    async handle({ caller, params: { accountId }, body: { listings }, traceparent, tx }) {
      const account = await lockAccount(tx, scopeOf(caller), accountId);
      if (account === undefined) throw notFound("marketplace account", accountId);
      const toTell = await putListings(tx, account, listings).catch((error: unknown) => {
        if (error instanceof UnknownSkuError) throw unknownSkus(error, listings, "listings");
        if (error instanceof ListingTakenError) throw taken(error, listings);
        throw error;
      });
      await closeCorrectedLetters(tx, {
        accountId,
        skus: listings.map((one) => one.sku),
        by: requestedBy(caller),
        reason: "the listing was put again, and is told again",
      });
      const { companyId } = account;
      const changer = { companyId, requestedBy: requestedBy(caller), traceparent };
      if (toTell > 0 && !account.paused)
        await askPush(tx, requests, { accountId, urgent: false, dueAt: null }, changer);
      return {
        status: 200,
        body: { listings: listings.length, toTell },
        committed: () => dispatcher.nudge(),
      };
    },
  }),

  read({
    method: "get",
    path: "/v1/marketplace-accounts/{accountId}/listings",
    operationId: "listListings",
    tag: "Marketplaces",
    scope: "read",
    summary: "List an account's listings by SKU, with what they hold and what they shall hold",
    params: AccountParams,
    query: z.strictObject({
      sku: sku.optional(),
      state: z.enum(["dirty", "parked", "failing"]).optional(),
      limit: paging.limit,
      cursor: line(64).optional().meta({ description: "`nextCursor` of the page before." }),
    }),
    answers: { 200: { description: "A page.", schema: ListingListBody } },
    problems: ["not-found"],
    async handle({ caller, params: { accountId }, query }) {
      await requireAccount(database.kysely, caller, accountId);
      const page = await listListings(database.kysely, accountId, given(query));
      const listings = page.listings.map(listingBody);
      return { status: 200, body: { listings, nextCursor: page.nextCursor } };
    },
  }),

  write({
    method: "delete",
    path: "/v1/marketplace-accounts/{accountId}/listings/{sku}",
    operationId: "deleteListing",
    tag: "Marketplaces",
    scope: "write",
    summary: "Take an article off an account's listings",
    description: "The marketplace is not told: it keeps what it has.",
    params: AccountParams.extend({ sku }),
    query: z.object({}),
    answers: { 204: { description: "It is not listed (any more)." } },
    problems: ["not-found"],
    async handle({ caller, params: { accountId, sku: article }, tx }) {
      await requireAccount(tx, caller, accountId);
      await removeListing(tx, accountId, article);
      await closeCorrectedLetters(tx, {
        accountId,
        skus: [article],
        by: requestedBy(caller),
        reason: "the article is listed there no more",
      });
      return { status: 204 };
    },
  }),
];

async function requireAccount(db: Queryable, caller: Caller, accountId: string): Promise<void> {
  if ((await findAccount(db, scopeOf(caller), accountId)) === undefined)
    throw notFound("marketplace account", accountId);
}

function taken(
  { taken: others }: ListingTakenError,
  listings: readonly { readonly externalId: string }[],
) {
  const holders = new Map(others.map(({ externalId, sku: holder }) => [externalId, holder]));
  return refusal(
    "invalid-body",
    listings.flatMap(({ externalId }, index) => {
      const holder = holders.get(externalId);
      return holder === undefined
        ? []
        : [
            {
              path: `listings.${index}.externalId`,
              message: `must stand for one article: ${externalId} is ${holder}`,
            },
          ];
    }),
  );
}
