import { Readable } from "node:stream";
import type { Answer } from "./endpoint.ts";
import { Problem } from "./problem.ts";

/** A caller whose stream ended asks again after this. */
export const RECONNECT_MS = 2_000;
/** The last word to a key that was revoked meanwhile. */
export const KEY_ENDED = ": this API key opens this no more\n\n";

/** So that no key alone takes the places of all others. */
const MOST_OF_KEY = 20;

/** Answers a key with these events, each sent as it comes. @throws {Problem} `too-many-requests` */
export type EventStreams = (keyId: string, events: AsyncIterable<string>) => Answer;

/** Serve streams of one kind, `most` at a time in this process. */
export function eventStreams(most: number): EventStreams {
  const ofKeys = new Map<string, number>();
  let open = 0;
  return (keyId, events) => {
    const ofKey = ofKeys.get(keyId) ?? 0;
    if (ofKey >= MOST_OF_KEY) throw tooMany(`this key has ${MOST_OF_KEY} of them: close one`);
    if (open >= most) throw tooMany(`this process serves ${most} of them`);
    open += 1;
    ofKeys.set(keyId, ofKey + 1);
    const stream = Readable.from(events, { objectMode: false });
    // Also when it never began: a HEAD, or a caller who hung up.
    stream.once("close", () => {
      open -= 1;
      const left = (ofKeys.get(keyId) ?? 1) - 1;
      if (left > 0) ofKeys.set(keyId, left);
      else ofKeys.delete(keyId);
    });
    return {
      status: 200,
      headers: {
        "Content-Type": "text/event-stream",
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no", // nginx would collect the events
      },
      stream,
    };
  };
}

const tooMany = (why: string) =>
  new Problem("too-many-requests", `no more such streams are opened: ${why}`, {
    headers: { "Retry-After": "5" },
  });
