import { gzipSync } from "node:zlib";
import { tokenBucket } from "../token-bucket.ts";
import { type Answer, type Call, list, object, type World } from "./imitation.ts";

type Apply = (message: Readonly<Record<string, unknown>>, world: World) => object[];

interface Feed {
  readonly document: string;
  /** Looks until it is done. */
  looksLeft: number;
  reportId?: string;
}

const FEEDS = "/feeds/2021-06-30";
/** Amazon's own: 15 at once, and one in two minutes. */
const CREATE = { burst: 15, perSecond: 0.0083 };

/** Amazon's feeds: documents are put into a store, feeds are worked on between two looks, reports are packed. */
export function openFeeds(apply: Apply, looks: number) {
  const documents = new Map<string, Buffer>();
  const feeds = new Map<string, Feed>();
  const takeCreate = tokenBucket(CREATE.burst, CREATE.perSecond);
  let made = 0;

  function work(feed: Feed, feedId: string, world: World): string {
    const input = object(JSON.parse(documents.get(feed.document)?.toString("utf8") ?? "{}"));
    const messages = list(input["messages"]).map(object);
    world.wrote(messages.length);
    const issues = messages.flatMap((message) =>
      apply(message, world).map((issue) => ({
        ...issue,
        messageId: message["messageId"],
        sku: message["sku"],
      })),
    );
    const invalid = new Set(issues.map(({ messageId }) => messageId)).size;
    const report = {
      header: { ...object(input["header"]), feedId },
      issues,
      summary: {
        errors: issues.length,
        warnings: 0,
        messagesProcessed: messages.length,
        messagesAccepted: messages.length - invalid,
        messagesInvalid: invalid,
      },
    };
    const reportId = `report-${feedId}`;
    documents.set(reportId, gzipSync(JSON.stringify(report)));
    return reportId;
  }

  function look(feed: Feed, feedId: string, world: World): Answer {
    if (feed.looksLeft-- > 0)
      return { status: 200, body: { feedId, processingStatus: "IN_PROGRESS" } };
    feed.reportId ??= work(feed, feedId, world);
    return {
      status: 200,
      body: { feedId, processingStatus: "DONE", resultFeedDocumentId: feed.reportId },
    };
  }

  return {
    answer(call: Call, world: World): Answer {
      const [, kind, id] =
        /^\/(documents|feeds)(?:\/(.+))?$/.exec(call.path.slice(FEEDS.length)) ?? [];
      const feed = feeds.get(id ?? "");
      if (call.method === "POST" && kind === "documents") {
        const feedDocumentId = `document-${++made}`;
        return {
          status: 201,
          body: {
            feedDocumentId,
            url: `${world.url}/storage/${feedDocumentId}?X-Amz-Signature=double`,
          },
        };
      }
      if (call.method === "POST" && kind === "feeds") {
        if (!takeCreate().granted) {
          world.throttled();
          return {
            status: 429,
            body: { errors: [{ code: "QuotaExceeded", message: "createFeed" }] },
          };
        }
        const feedId = `feed-${++made}`;
        const { inputFeedDocumentId } = object(call.json);
        feeds.set(feedId, { document: String(inputFeedDocumentId), looksLeft: looks });
        // Its own rate, far below that of listings: who takes it for the account's crawls ever after.
        return { status: 202, body: { feedId }, headers: { "x-amzn-RateLimit-Limit": "0.0083" } };
      }
      if (kind === "feeds" && feed !== undefined) return look(feed, id ?? "", world);
      if (kind === "documents" && documents.has(id ?? ""))
        return {
          status: 200,
          body: {
            feedDocumentId: id,
            url: `${world.url}/storage/${id}`,
            compressionAlgorithm: "GZIP",
          },
        };
      return { status: 404, body: { errors: [{ code: "NotFound", message: call.path }] } };
    },

    /** The store: whoever has the address may put and get. */
    store(call: Call): Answer {
      const id = call.path.slice("/storage/".length);
      if (call.method === "PUT") {
        documents.set(id, Buffer.from(call.text));
        return { status: 200, body: "" };
      }
      const document = documents.get(id);
      return document === undefined ? { status: 404, body: "" } : { status: 200, body: document };
    },
  };
}
