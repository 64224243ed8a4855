/** An answer, or what became of the call without one. */
export interface Reply {
  /** 0 where no answer came. */
  readonly status: number;
  readonly ms: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what the wire brings has the shape the drill expects
  readonly body: any;
  readonly bytes: Uint8Array;
}

/** The API as a caller behind a load balancer sees it. Never throws. */
export interface Client {
  get(path: string): Promise<Reply>;
  put(path: string, body: unknown): Promise<Reply>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  delete(path: string): Promise<Reply>;
}

/** Longer than anything the API promises, so that a call that hangs is seen as one. */
const TIMEOUT_MS = 15_000;

/** @param urls replicas; each call goes to the next one, and to another where one refuses the connection */
export function openClient(urls: () => readonly string[], key: string): Client {
  let turn = 0;
  const call = async (method: string, path: string, init: RequestInit = {}): Promise<Reply> => {
    const began = performance.now();
    const all = urls();
    const from = turn++;
    for (let tries = 0; tries < all.length; tries++) {
      const url = all[(from + tries) % all.length];
      try {
        const response = await fetch(`${url}${path}`, {
          ...init,
          method,
          headers: { Authorization: `Bearer ${key}`, ...(init.headers as Record<string, string>) },
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        const bytes = new Uint8Array(await response.arrayBuffer());
        const isJson = /json/.test(response.headers.get("content-type") ?? "");
        return {
          status: response.status,
          ms: performance.now() - began,
          headers: response.headers,
          body: isJson && bytes.length > 0 ? JSON.parse(Buffer.from(bytes).toString()) : undefined,
          bytes,
        };
      } catch (error) {
        const code = (error as { cause?: { code?: string } }).cause?.code;
        if (code !== "ECONNREFUSED") break; // it may have been done
      }
    }
    const ms = performance.now() - began;
    return { status: 0, ms, headers: new Headers(), body: undefined, bytes: new Uint8Array() };
  };
  const json = (body: unknown, headers: Record<string, string> = {}): RequestInit =>
    body === undefined
      ? { headers }
      : { body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers } };
  return {
    get: (path) => call("GET", path),
    put: (path, body) => call("PUT", path, json(body)),
    post: (path, body, headers) => call("POST", path, json(body, headers)),
    delete: (path) => call("DELETE", path),
  };
}
