import { setTimeout as pause } from "node:timers/promises";
import { tracesJson } from "./otlp.ts";
import type { EndedSpan } from "./tracer.ts";

export interface SpanSender extends AsyncDisposable {
  /** Keep a span for the next batch; dropped, and counted, where too many wait. */
  add(span: EndedSpan): void;
  /** Send what waits, for at most this time. */
  flush(deadlineMs: number): Promise<void>;
}

/** The little of a logger that is needed. */
export interface TraceLog {
  info(values: object, message: string): void;
  warn(values: object, message: string): void;
}

export interface SpanSenderOptions {
  /** Of the collector, e.g. `http://localhost:4318`. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Whose spans these are. */
  readonly resource: Readonly<Record<string, string | number | boolean>>;
  readonly log: TraceLog;
  readonly counted: (result: "sent" | "dropped", count: number) => void;
}

/** What is over is seen within this time. */
const SEND_EVERY_MS = 1_000;
/** Some 400 KB. */
const MAX_BATCH = 512;
/** Of a collector that is away, some 4 MB are kept; work never waits for it. */
const MAX_WAITING = 5_000;
const CALL_DEADLINE_MS = 5_000;
const RETRY_MS = { first: 1_000, cap: 30_000 };
const CLOSE_DEADLINE_MS = 2_000;
/** What OTLP says may be sent again; anything else would be refused for ever. */
const TRY_AGAIN = new Set([429, 502, 503, 504]);

/** Send spans to a collector in batches, by OTLP over HTTP with JSON. A collector that is away costs spans alone. */
export function openSpanSender(options: SpanSenderOptions): SpanSender {
  const { resource, log, counted } = options;
  const url = `${options.endpoint.replace(/\/+$/, "")}/v1/traces`;
  const headers = { ...options.headers, "content-type": "application/json" };
  let waiting: EndedSpan[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let failures = 0;
  const closing = new AbortController();

  async function post(batch: readonly EndedSpan[]): Promise<void> {
    const answer = await fetch(url, {
      method: "POST",
      headers,
      body: tracesJson(resource, batch),
      signal: AbortSignal.any([closing.signal, AbortSignal.timeout(CALL_DEADLINE_MS)]),
    });
    await answer.arrayBuffer(); // unread, its connection could not be used again
    if (!answer.ok) throw new RefusedError(answer.status);
  }

  async function sendBatch(): Promise<void> {
    const batch = waiting.splice(0, MAX_BATCH);
    try {
      await post(batch);
      counted("sent", batch.length);
      if (failures > 0) log.info({ failures }, "spans are delivered again");
      failures = 0;
    } catch (error) {
      if (isWorthAnother(error) && !closing.signal.aborted) waiting = [...batch, ...waiting];
      else counted("dropped", batch.length);
      const tooMany = waiting.splice(MAX_WAITING).length;
      if (tooMany > 0) counted("dropped", tooMany);
      failures += 1;
      if (failures === 1 && !closing.signal.aborted)
        log.warn(
          { err: error, endpoint: url },
          "spans not delivered: the endpoint must be a collector that takes OTLP over HTTP with JSON",
        );
    }
  }

  const schedule = () => {
    const waitMs = failures === 0 ? SEND_EVERY_MS : retryMs(failures);
    timer ??= setTimeout(() => {
      timer = undefined;
      void send();
    }, waitMs).unref(); // spans are no reason to live on
  };

  /** One batch at a time: a collector that is slow must not be asked more. */
  function send(): Promise<void> {
    sending ??= sendBatch().finally(() => {
      sending = undefined;
      if (waiting.length > 0 && !closing.signal.aborted) schedule();
    });
    return sending;
  }

  async function flush(deadlineMs: number): Promise<void> {
    const late = new AbortController();
    const deadline = pause(deadlineMs, undefined, { signal: late.signal, ref: false });
    const all = async () => {
      while (waiting.length > 0 && !late.signal.aborted) {
        await send();
        if (failures > 0) return; // it is away: what is left is lost
      }
      await sending;
    };
    await Promise.race([all(), deadline]);
    late.abort();
    await deadline.catch(() => {});
  }

  return {
    add(span) {
      if (waiting.length >= MAX_WAITING) return counted("dropped", 1);
      waiting.push(span);
      if (waiting.length >= MAX_BATCH && failures === 0) void send();
      else schedule();
    },
    flush,
    async [Symbol.asyncDispose]() {
      await flush(CLOSE_DEADLINE_MS);
      closing.abort();
      clearTimeout(timer);
      await sending;
      if (waiting.length > 0) counted("dropped", waiting.length);
      waiting = [];
    },
  };
}

class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly status: number;

  constructor(status: number) {
    super(`the collector answered ${status}`);
    this.status = status;
  }
}

/** A collector that did not answer may do so later. */
const isWorthAnother = (error: unknown): boolean =>
  !(error instanceof RefusedError) || TRY_AGAIN.has(error.status);

const retryMs = (failures: number): number =>
  Math.min(RETRY_MS.cap, RETRY_MS.first * 2 ** Math.min(failures - 1, 10));
