import { type Tracer, traced } from "@ballast/jobs";
import type { RemoteHttp } from "./remote-http.ts";

/**
 * A span for each request, with its host and the status of its answer. Paths and queries stay out of it: some
 * remotes are sent secrets there. Nor are remotes told of our traces: it is none of their business.
 */
export const traceCalls = (http: RemoteHttp, tracer: Tracer | undefined): RemoteHttp => ({
  ...http,
  request: (request, signal) =>
    traced(
      tracer,
      () => ({
        name: request.method,
        kind: "client",
        attributes: {
          "http.request.method": request.method,
          "server.address": new URL(request.url).host,
        },
      }),
      async (span) => {
        const response = await http.request(request, signal);
        const { status, sizeBytes } = response;
        span?.set({ "http.response.status_code": status, "http.response.body.size": sizeBytes });
        if (status >= 400) span?.fail(String(status));
        return response;
      },
    ),
});
