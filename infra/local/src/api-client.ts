import { setTimeout as sleep } from "node:timers/promises";
import axios, { type AxiosInstance } from "axios";
import { z } from "zod";

const Problem = z.object({
  title: z.string(),
  detail: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

/** The API refused a request of ours. */
class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;

  constructor(what: string, status: number, body: unknown) {
    const problem = Problem.safeParse(body).data;
    const fields = problem?.errors?.slice(0, 5).map(({ path, message }) => `${path} ${message}`);
    super(
      [`${what} answered ${status}`, problem?.title, problem?.detail, ...(fields ?? [])]
        .filter(Boolean)
        .join(": "),
    );
    this.status = status;
  }
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

export interface ApiClient {
  /** @throws {ApiError} unless the status is 2xx or one of `also` */
  call(
    method: "GET" | "PUT" | "POST",
    path: string,
    o?: { body?: unknown; idempotencyKey?: string; also?: readonly number[] },
  ): Promise<ApiAnswer>;
  /** The bytes at `path`. @throws {ApiError} */
  download(path: string): Promise<Buffer>;
}

/** Talk to the API as an ERP does; a 429 is obeyed, everything else that fails is thrown. */
export function apiClient(baseURL: string, key: string, signal: AbortSignal): ApiClient {
  const http: AxiosInstance = axios.create({
    baseURL,
    signal,
    timeout: 30_000,
    headers: { Authorization: `Bearer ${key}` },
    validateStatus: () => true,
    proxy: false, // it is on this machine, whatever HTTP_PROXY says
  });
  const request = async (config: Parameters<AxiosInstance["request"]>[0]) => {
    for (;;) {
      const answer = await http.request(config);
      if (answer.status !== 429) return answer;
      const seconds = Number(answer.headers["retry-after"]) || 1;
      await sleep(seconds * 1_000, undefined, { signal });
    }
  };
  return {
    async call(method, path, { body, idempotencyKey, also = [] } = {}) {
      const answer = await request({
        method,
        url: path,
        ...(body === undefined ? {} : { data: body }),
        ...(idempotencyKey ? { headers: { "Idempotency-Key": idempotencyKey } } : {}),
      });
      const { status, headers, data } = answer;
      if ((status >= 200 && status < 300) || also.includes(status)) {
        return { status, headers: { ...headers }, body: data };
      }
      throw new ApiError(`${method} ${path}`, status, data);
    },
    async download(path) {
      const answer = await request({ method: "GET", url: path, responseType: "arraybuffer" });
      if (answer.status === 200) return Buffer.from(answer.data);
      throw new ApiError(`GET ${path}`, answer.status, undefined);
    },
  };
}
