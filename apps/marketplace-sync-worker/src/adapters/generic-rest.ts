import { PermanentError, type Throttle, TransientError, throttleFromHeaders } from "@ballast/jobs";
import type { RemoteResponse } from "../http/remote-http.ts";
import type { AdapterDeps, ItemOutcome, MarketplaceAdapter, StockItem } from "./adapter.ts";
import { openAsk } from "./ask.ts";
import { filledBody, filledPath, isPathSegment } from "./generic-template.ts";
import { list, number, pointed, text } from "./json.ts";
import { confirmed, failed, noResult, rejected, unusable } from "./outcomes.ts";
import { pushAround } from "./push-around.ts";

/** Any HTTP API that takes stock as JSON, spoken by its account's settings alone. */
export function genericRestAdapter({
  settings,
  credentials,
  ...deps
}: AdapterDeps<"generic-rest">): MarketplaceAdapter {
  const { push, list: listing, auth, throttle } = settings;
  const base = settings.baseUrl.replace(/\/$/, "");
  // A function, since a `$` in the token would mean something in a replacement.
  const headers = { [auth.header]: auth.value.replace("{token}", () => credentials.token) };
  const ask = openAsk({ name: new URL(base).host, ...deps, readThrottle });

  function readThrottle({ status, headers: told, body }: RemoteResponse): Throttle {
    const isThrottled = throttle.throttledWhen.some(
      (when) =>
        when.status === status &&
        (when.pointer === undefined || pointed(body, when.pointer) === when.equals),
    );
    const { capacity, perSecond } = throttle;
    return {
      ...(capacity === undefined ? {} : { capacity }),
      ...(perSecond === undefined ? {} : { restorePerSecond: perSecond }),
      ...throttleFromHeaders(status, told, Date.now()),
      isThrottled,
    };
  }

  async function pushBatch(items: readonly StockItem[], signal: AbortSignal) {
    const [first] = items;
    if (first && push.path.includes("{externalId}") && !isPathSegment(first.externalId))
      return [unusable(first, "a segment of a path")];
    const { body } = await ask(
      {
        method: push.method,
        url: base + filledPath(push.path, first),
        headers,
        body: filledBody(push.body, items),
      },
      { signal, anyBody: push.results.items === undefined },
    );
    if (push.results.items === undefined) return items.map(confirmed);
    const results = pointed(body, push.results.items);
    if (!Array.isArray(results))
      throw new TransientError(
        "answer_unexpected",
        `the answer has no list of results at "${push.results.items}"`,
      );
    return matched(items, results);
  }

  function matched(items: readonly StockItem[], results: readonly unknown[]): ItemOutcome[] {
    const { externalId: where } = push.results;
    if (where === undefined) return items.map((item, n) => outcomeOf(item, results[n]));
    const byId = new Map(results.map((result) => [text(pointed(result, where)), result]));
    return items.map((item) => outcomeOf(item, byId.get(item.externalId)));
  }

  function outcomeOf(item: StockItem, result: unknown): ItemOutcome {
    if (result === undefined) return noResult(item);
    if ((pointed(result, push.results.error) ?? null) === null) return confirmed(item);
    const code = text(pointed(result, push.results.code)) ?? "unknown";
    const message = text(pointed(result, push.results.message)) ?? "";
    return push.rejectedCodes.includes(code)
      ? rejected(item, code, message)
      : failed(item, code, message);
  }

  return {
    kind: "generic-rest",
    maxBatch: push.maxBatch,
    readThrottle,
    push: (items, signal) => pushAround(items, (part) => pushBatch(part, signal)),

    async list(cursor, signal) {
      if (listing === undefined)
        throw new PermanentError(
          "cannot_list",
          "the account's settings do not say how stock is read: give settings.list",
        );
      const url = base + filledPath(listing.path, undefined, cursor);
      const { body } = await ask({ method: "GET", url, headers }, { signal });
      const items = pointed(body, listing.items);
      if (!Array.isArray(items))
        throw new TransientError(
          "answer_unexpected",
          `the answer has no list at "${listing.items}"`,
        );
      const next = listing.next === undefined ? "" : (text(pointed(body, listing.next)) ?? "");
      return {
        items: list(items).flatMap((item) => {
          const externalId = text(pointed(item, listing.externalId));
          const quantity = number(pointed(item, listing.quantity));
          const sku = listing.sku === undefined ? undefined : text(pointed(item, listing.sku));
          if (externalId === undefined || quantity === undefined) return [];
          return [{ externalId, quantity, ...(sku === undefined ? {} : { sku }) }];
        }),
        ...(next === "" ? {} : { next }),
      };
    },
  };
}
