import { DependencyDownError, RateLimitedError, TransientError } from "@ballast/jobs";
import { MIB, type RemoteRequest, SMALL_BYTES } from "../http/remote-http.ts";
import type { ItemOutcome, Pause, StockItem } from "./adapter.ts";
import { stockPatch, told } from "./amazon-message.ts";
import type { Ask } from "./ask.ts";
import { at, list, number, text } from "./json.ts";
import { confirmed, failed, rejected } from "./outcomes.ts";
import { API_VERSIONS } from "./versions.ts";

interface FeedDeps {
  readonly base: string;
  readonly marketplaceId: string;
  readonly sellerId: string;
  readonly ask: Ask;
  /** Documents lie in a store that must not see the token: their addresses are signed. */
  readonly askStorage: Ask;
  readonly pause: Pause;
}

/** Amazon allows two looks a second; feeds take minutes. */
const FIRST_LOOK_MS = 5_000;
const LONGEST_LOOK_MS = 30_000;
/** Below the timeout of `push-stock`, with room for the calls around it. */
const PATIENCE_MS = 15 * 60_000;
/** 10,000 refusals of 400 bytes. */
const MAX_REPORT_BYTES = 4 * MIB;

/** One `JSON_LISTINGS_FEED` for many items: document, upload, feed, waiting, report. */
export function openAmazonFeeds({
  base,
  marketplaceId,
  sellerId,
  ask,
  askStorage,
  pause,
}: FeedDeps) {
  const feeds = `${base}/feeds/${API_VERSIONS.amazonFeeds}`;

  /** Every operation of feeds has a quota of its own, far below that of listings. */
  const call = async (request: RemoteRequest, signal: AbortSignal) =>
    (await ask({ ...request, maxBytes: SMALL_BYTES }, { signal, cost: 0, ownQuota: true })).body;

  const field = (body: unknown, name: string): string => {
    const value = text(at(body, name));
    if (value === undefined)
      throw new TransientError("answer_unexpected", `Amazon's answer has no ${name}`);
    return value;
  };

  async function create(document: string, signal: AbortSignal): Promise<string> {
    const contentType = "application/json; charset=UTF-8";
    const made = await call(
      { method: "POST", url: `${feeds}/documents`, body: { contentType } },
      signal,
    );
    await askStorage(
      {
        method: "PUT",
        url: field(made, "url"),
        headers: { "Content-Type": contentType },
        body: document,
      },
      { signal, cost: 0, ownQuota: true, anyBody: true },
    );
    const body = {
      feedType: "JSON_LISTINGS_FEED",
      marketplaceIds: [marketplaceId],
      inputFeedDocumentId: field(made, "feedDocumentId"),
    };
    return field(await call({ method: "POST", url: `${feeds}/feeds`, body }, signal), "feedId");
  }

  async function report(documentId: string, signal: AbortSignal): Promise<unknown> {
    const url = `${feeds}/documents/${encodeURIComponent(documentId)}`;
    const document = await call({ method: "GET", url }, signal);
    const { body } = await askStorage(
      {
        method: "GET",
        url: field(document, "url"),
        isGzip: at(document, "compressionAlgorithm") === "GZIP",
        maxBytes: MAX_REPORT_BYTES,
      },
      { signal, cost: 0, ownQuota: true },
    );
    return body;
  }

  /** What a feed came to; `undefined` while Amazon works on it. */
  async function look(
    feedId: string,
    items: readonly StockItem[],
    signal: AbortSignal,
  ): Promise<readonly ItemOutcome[] | undefined> {
    const feed = await call({ method: "GET", url: `${feeds}/feeds/${feedId}` }, signal);
    const status = text(at(feed, "processingStatus"));
    if (status !== "DONE" && status !== "FATAL" && status !== "CANCELLED") return undefined;
    const documentId = text(at(feed, "resultFeedDocumentId"));
    if (status !== "DONE" || documentId === undefined)
      throw new TransientError("feed_failed", `Amazon ended feed ${feedId} as ${status}`);
    return outcomesOf(items, await report(documentId, signal));
  }

  /** Look until it ended or patience does. A look in vain ends nothing: who gives up posts the whole feed anew. */
  async function awaited(
    feedId: string,
    items: readonly StockItem[],
    signal: AbortSignal,
  ): Promise<readonly ItemOutcome[] | undefined> {
    let lookMs = FIRST_LOOK_MS;
    let waitedMs = 0;
    while (waitedMs < PATIENCE_MS) {
      await pause(lookMs, signal);
      const lookedAt = performance.now();
      const outcomes = await look(feedId, items, signal).catch(unlessAway);
      if (outcomes !== undefined) return outcomes;
      waitedMs += lookMs + performance.now() - lookedAt;
      lookMs = Math.min(LONGEST_LOOK_MS, lookMs * 1.5);
    }
    return undefined;
  }

  return {
    /** Takes minutes. An abort leaves the feed to Amazon: the same quantities sent again do no harm. */
    async push(items: readonly StockItem[], signal: AbortSignal): Promise<readonly ItemOutcome[]> {
      const feedId = await create(documentOf(items, sellerId), signal);
      const outcomes = await awaited(feedId, items, signal);
      if (outcomes !== undefined) return outcomes;
      const message = `feed ${feedId} told no end within ${PATIENCE_MS} ms`;
      return items.map((item) => failed(item, "feed_unfinished", message));
    },
  };
}

function unlessAway(error: unknown): undefined {
  if (error instanceof DependencyDownError || error instanceof RateLimitedError) return;
  throw error;
}

const documentOf = (items: readonly StockItem[], sellerId: string): string =>
  JSON.stringify({
    header: { sellerId, version: API_VERSIONS.amazonListingsFeed, issueLocale: "en_US" },
    messages: items.map((item, n) => ({
      messageId: n + 1,
      sku: item.externalId,
      operationType: "PATCH",
      productType: "PRODUCT",
      patches: [stockPatch(item)],
    })),
  });

/** A message without an error was accepted; errors name their message. */
function outcomesOf(items: readonly StockItem[], report: unknown): readonly ItemOutcome[] {
  const processed = number(at(report, "summary", "messagesProcessed"));
  if (processed === undefined || processed < items.length)
    throw new TransientError(
      "answer_unexpected",
      `Amazon's report speaks of ${processed ?? "no"} messages, not of ${items.length}`,
    );
  const errors = new Map(
    list(at(report, "issues"))
      .filter((issue) => at(issue, "severity") === "ERROR")
      .map((issue) => [number(at(issue, "messageId")), issue]),
  );
  return items.map((item, n) => {
    const issue = errors.get(n + 1);
    return issue === undefined ? confirmed(item) : rejected(item, ...told(issue));
  });
}
