import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Telemetry } from "@ballast/service";
import type { Express } from "express";

export interface ListenOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
}

/** Time running requests get to end once the process was told to stop. */
const FINISH_MS = 10_000;

/**
 * Serve `app` until the process is told to stop; then take nothing new and let what runs end.
 *
 * @throws {Error} with the remedy, if the port is taken
 */
export async function serve(
  app: Express,
  { host, port }: ListenOptions,
  { log, stopping }: Pick<Telemetry, "log" | "stopping">,
): Promise<void> {
  await using server = await listen(app, { host, port });
  log.info({ url: server.url, docs: `${server.url}/docs` }, "api listening");
  if (!stopping.aborted) await once(stopping, "abort");
  log.info("finishing requests");
}

/** Start listening; disposing finishes running requests for up to 10 s and cuts the rest. */
export async function listen(
  app: Express,
  { host, port }: ListenOptions,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(app);
  const connections = countRequests(server);
  server.listen(port, host);
  // A caller that sends half a request must not hold a connection for ever.
  server.headersTimeout = 10_000;
  server.requestTimeout = 60_000;
  try {
    await once(server, "listening");
  } catch (error) {
    throw listenError(error, host, port);
  }
  const { port: bound } = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    [Symbol.asyncDispose]: () => {
      closed ??= finish(server, connections);
      return closed;
    },
  };
}

/** Close what serves nothing at once, the rest as its last answer is out, and whatever is left at the end. */
async function finish(server: Server, connections: Connections): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => connections.closeIdle(), 50);
  connections.closeIdle();
  const cut = setTimeout(() => server.closeAllConnections(), FINISH_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}

interface Connections {
  closeIdle(): void;
}

/**
 * Know which connections serve a request. Node's own `closeIdleConnections` leaves those open that
 * have not sent one yet, as pools and load balancers keep them, and each would delay the end.
 */
function countRequests(server: Server): Connections {
  const requests = new Map<Socket, number>();
  server.on("connection", (socket) => {
    requests.set(socket, 0);
    socket.once("close", () => requests.delete(socket));
  });
  server.on("request", ({ socket }, response) => {
    requests.set(socket, (requests.get(socket) ?? 0) + 1);
    response.once("close", () => {
      const running = requests.get(socket);
      if (running !== undefined) requests.set(socket, running - 1);
    });
  });
  return {
    closeIdle() {
      for (const [socket, running] of requests)
        if (running === 0) socket.end(() => socket.destroy());
    },
  };
}

function listenError(error: unknown, host: string, port: number): Error {
  const { code } = error as NodeJS.ErrnoException;
  const reason =
    code === "EADDRINUSE"
      ? `port ${port} on ${host} is taken: stop what listens there, or set API_PORT to a free port`
      : code === "EACCES"
        ? `port ${port} may not be opened by this user: set API_PORT to one above 1023`
        : `cannot listen on ${host}:${port} (${code}): is API_HOST an address of this machine?`;
  return new Error(reason, { cause: error });
}
