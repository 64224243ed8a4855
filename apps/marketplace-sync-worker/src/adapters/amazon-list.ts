import type { ListedPage } from "./adapter.ts";
import type { Ask } from "./ask.ts";
import { at, list, number, text } from "./json.ts";

const PAGE = 20;
/** A search shows no more than this many results; the next one begins where it ended. */
const MAX_RESULTS = 1_000;

interface Place {
  /** Listings made from here on, ISO 8601; absent at first. */
  readonly createdAfter?: string;
  /** When the last listing read was made. */
  readonly readUpTo?: string;
  readonly pageToken?: string;
  /** Results read of this search. */
  readonly readCount: number;
}

/**
 * `searchListingsItems`, oldest first, as a chain of searches since each ends after 1,000 results. A listing
 * made in the very moment where two searches meet is told twice, which does no harm.
 */
export async function listAmazon(
  {
    ask,
    items,
    marketplaceId,
  }: { readonly ask: Ask; readonly items: string; readonly marketplaceId: string },
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<ListedPage> {
  const from: Place = cursor === undefined ? { readCount: 0 } : (JSON.parse(cursor) as Place);
  const query = new URLSearchParams({
    marketplaceIds: marketplaceId,
    includedData: "summaries,fulfillmentAvailability",
    pageSize: String(PAGE),
    sortBy: "createdDate",
    sortOrder: "ASC",
    ...(from.createdAfter === undefined ? {} : { createdAfter: from.createdAfter }),
    ...(from.pageToken === undefined ? {} : { pageToken: from.pageToken }),
  });
  const { body } = await ask({ method: "GET", url: `${items}?${query}` }, { signal });
  const found = list(at(body, "items"));
  const next = nextPlace(from, found, text(at(body, "pagination", "nextToken")));
  return {
    items: found.flatMap((item) => {
      const sku = text(at(item, "sku"));
      const own = list(at(item, "fulfillmentAvailability")).find(
        (availability) => at(availability, "fulfillmentChannelCode") === "DEFAULT",
      );
      const quantity = number(at(own, "quantity"));
      return sku === undefined || quantity === undefined
        ? []
        : [{ externalId: sku, sku, quantity }];
    }),
    ...(next === undefined ? {} : { next: JSON.stringify(next) }),
  };
}

function nextPlace(
  from: Place,
  found: readonly unknown[],
  pageToken: string | undefined,
): Place | undefined {
  const readCount = from.readCount + found.length;
  const createdDate = text(at(found.at(-1), "summaries", 0, "createdDate"));
  const readUpTo = createdDate ?? from.readUpTo;
  const until = readUpTo === undefined ? {} : { readUpTo };
  const after = from.createdAfter === undefined ? {} : { createdAfter: from.createdAfter };
  if (pageToken !== undefined && readCount < MAX_RESULTS)
    return { ...after, ...until, pageToken, readCount };
  const isCutOff =
    readCount >= MAX_RESULTS && readUpTo !== undefined && readUpTo !== from.createdAfter;
  return isCutOff ? { createdAfter: readUpTo, readCount: 0 } : undefined;
}
