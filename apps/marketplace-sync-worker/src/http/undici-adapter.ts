import type { AxiosAdapter, AxiosResponse } from "axios";
import type { Dispatcher } from "undici";
import { cutOff, tooLarge } from "./answer-error.ts";

/** `data` of a response, with the headers: Axios would copy those of its own four times. */
export interface Answer {
  /** At most `maxContentLength`. */
  readonly bytes: Buffer;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Each takes a hundred bytes beside its own, and a remote may send them one by one. */
const MOST_CHUNKS = 1_000;

/**
 * One of Axios' requests over `dispatcher`.
 *
 * @param signal ends it. Not Axios' own, which would put an error of its own in the place of ours
 * `dispatch` rather than `request`: the stream that the latter makes of every answer costs more than the call.
 */
export const undiciAdapter =
  (dispatcher: Dispatcher, signal: AbortSignal): AxiosAdapter =>
  (config) =>
    new Promise((resolve, reject) => {
      const { origin, pathname, search } = new URL(config.url ?? "");
      const maxBytes = config.maxContentLength ?? Number.POSITIVE_INFINITY;
      const chunks: Buffer[] = [];
      let sizeBytes = 0;
      let status = 0;
      let headers: Record<string, string> = {};
      let connection: Dispatcher.DispatchController | undefined;
      let ended: Error | undefined;

      /** Hang up, at once if there is a connection already. */
      function end(reason: Error): void {
        ended = reason;
        reject(reason);
        connection?.abort(reason);
      }
      signal.addEventListener("abort", () => end(cutOff(signal, { status, sizeBytes })), {
        once: true,
      });

      dispatcher.dispatch(
        {
          origin,
          path: pathname + search,
          method: (config.method ?? "get").toUpperCase() as Dispatcher.HttpMethod,
          headers: config.headers.toJSON(true) as Record<string, string>,
          body: config.data ?? null,
        },
        {
          onRequestStart(controller) {
            connection = controller;
            if (ended !== undefined) controller.abort(ended);
          },
          onResponseStart(_controller, statusCode, told) {
            status = statusCode;
            headers = flat(told);
            const announcedBytes = Number(headers["content-length"] ?? 0);
            if (announcedBytes > maxBytes) end(tooLarge(status, announcedBytes, maxBytes));
          },
          onResponseData(_controller, chunk) {
            if (chunks.push(chunk) === MOST_CHUNKS)
              chunks.splice(0, MOST_CHUNKS, Buffer.concat(chunks));
            sizeBytes += chunk.byteLength;
            if (sizeBytes > maxBytes) end(tooLarge(status, sizeBytes, maxBytes));
          },
          onResponseEnd() {
            const data: Answer = { bytes: Buffer.concat(chunks, sizeBytes), headers };
            resolve({ data, status, statusText: "", headers: {}, config } as AxiosResponse<Answer>);
          },
          onResponseError(_controller, error) {
            reject(error);
          },
        },
      );
    });

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const told: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) told[name] = Array.isArray(value) ? value.join(", ") : value;
  return told;
}
