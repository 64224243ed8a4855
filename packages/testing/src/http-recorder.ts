import { EventEmitter, once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** How the next requests are answered. */
export type HttpBehaviour =
  /** With this, at once; or `afterMs` later. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body?: string | object;
      readonly headers?: Readonly<Record<string, string>>;
      readonly afterMs?: number;
    }
  /** Never, while the connection stands. */
  | { readonly kind: "hang" }
  /** A byte now and then, without end. */
  | { readonly kind: "drip" }
  /** By breaking the connection. */
  | { readonly kind: "drop" };

export interface RecordedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body, parsed; `undefined` if it is no JSON. */
  readonly json: unknown;
}

type Behave = HttpBehaviour | ((request: RecordedRequest) => HttpBehaviour);

export interface HttpRecorder extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** All that came, in order of arrival, however it was answered. */
  readonly requests: readonly RecordedRequest[];
  /** Behave so from now on; as a function, by the request. */
  behave(behaviour: Behave): void;
  /** Resolves with the requests once there are `count`. */
  waitForRequests(count: number): Promise<readonly RecordedRequest[]>;
}

const OK: HttpBehaviour = { kind: "answer", status: 200, body: "ok" };
const DEADLINE_MS = 30_000;

/** Start an HTTP server on a free port of loopback that keeps what it is sent and misbehaves on demand. */
export async function startHttpRecorder(behaviour: Behave = OK): Promise<HttpRecorder> {
  const requests: RecordedRequest[] = [];
  const events = new EventEmitter();
  const timers = new Set<NodeJS.Timeout>();
  let current = behaviour;

  const server = createServer((req, res) => {
    text(req)
      .then((body) => {
        const { method = "", url: path = "", headers } = req;
        const request = { method, path, headers, body, json: parsed(body) };
        requests.push(request);
        events.emit("request");
        answer(res, typeof current === "function" ? current(request) : current, timers);
      })
      .catch(() => {}); // the client is gone
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    behave(next) {
      current = next;
    },
    async waitForRequests(count) {
      const signal = AbortSignal.timeout(DEADLINE_MS);
      while (requests.length < count) await once(events, "request", { signal });
      return requests;
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearInterval(timer);
      server.closeAllConnections();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
}

function answer(res: ServerResponse, behaviour: HttpBehaviour, timers: Set<NodeJS.Timeout>): void {
  switch (behaviour.kind) {
    case "answer": {
      const { status, body = "", headers, afterMs = 0 } = behaviour;
      const send = () =>
        res.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
      if (afterMs === 0) send();
      else timers.add(setTimeout(send, afterMs));
      return;
    }
    case "hang":
      return;
    case "drip":
      res.writeHead(200);
      timers.add(setInterval(() => res.write("."), 100));
      return;
    case "drop":
      res.destroy();
      return;
    default:
      behaviour satisfies never;
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
