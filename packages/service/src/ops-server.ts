import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import type { Liveness } from "./liveness.ts";
import type { Readiness } from "./readiness.ts";

export interface OpsServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
}

/**
 * Serve `/healthz` (the process turns its event loop and is served by its queue), `/readyz` (its stores answer and it is not stopping)
 * and `/metrics`.
 *
 * @throws {Error} if the address is taken or not this machine's
 */
export async function openOpsServer(
  address: { readonly host: string; readonly port: number },
  parts: {
    readonly liveness: Liveness;
    readonly readiness: Readiness;
    readonly registry: Registry;
  },
): Promise<OpsServer> {
  const pages: Readonly<Record<string, (res: ServerResponse) => Promise<void>>> = {
    "/healthz": async (res) => {
      const failing = parts.liveness.failing();
      const isWell = Object.keys(failing).length === 0;
      answerJson(res, isWell ? 200 : 503, isWell ? { status: "ok" } : { status: "stale", failing });
    },
    "/readyz": async (res) => {
      const report = await parts.readiness.report();
      answerJson(res, report.ready ? 200 : 503, report);
    },
    "/metrics": async (res) => {
      await parts.readiness.report(); // which notes what each check came to
      const text = await parts.registry.metrics();
      res.writeHead(200, { "content-type": parts.registry.contentType }).end(text);
    },
  };

  const server = createServer((req, res) => {
    const [path = "/"] = (req.url ?? "/").split("?");
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page === undefined) return answerJson(res, 404, { pages: Object.keys(pages) });
    if (req.method !== "GET" && req.method !== "HEAD") {
      return answerJson(res.setHeader("allow", "GET, HEAD"), 405, { allowed: ["GET", "HEAD"] });
    }
    page(res).catch((error: unknown) => answerJson(res, 500, { error: String(error) }));
  });

  server.listen(address.port, address.host);
  try {
    await once(server, "listening");
  } catch (cause) {
    const { code = "unknown error" } = cause as NodeJS.ErrnoException;
    throw new Error(
      `cannot listen on ${address.host}:${address.port} (${code}): set OPS_HOST to an address of this machine and OPS_PORT to a free port, or 0`,
      { cause },
    );
  }

  const { port } = server.address() as AddressInfo;
  return {
    host: address.host,
    port,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections(); // a scraper's kept-alive connection must not hold the process
      await closed;
    },
  };
}

function answerJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  res.end(JSON.stringify(body));
}
