/** What to ask a remote. */
export interface RemoteRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; a string goes out as it is. */
  readonly body?: unknown;
}

/** What a remote answered, whatever its status. */
export interface RemoteResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; `undefined` if there was none. */
  readonly body: unknown;
}

/** The one way out: bounded in time and size, verified TLS, no redirects. */
export interface RemoteHttp extends AsyncDisposable {
  request(request: RemoteRequest, signal: AbortSignal): Promise<RemoteResponse>;
}
