import { Readable } from "node:stream";
import type { Answer } from "./endpoint.ts";

/** A caller whose stream ended asks again after this. */
export const RECONNECT_MS = 2_000;

/** Answer with server-sent events, each sent as it comes. */
export const eventStream = (events: AsyncIterable<string>): Answer => ({
  status: 200,
  headers: {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no", // nginx would collect the events
  },
  stream: Readable.from(events, { objectMode: false }),
});
