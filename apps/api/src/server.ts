import { EventEmitter, once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { ReadinessCheck, Telemetry } from "@ballast/service";
import type { Express } from "express";

export interface ListenOptions {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
}

/** Time running requests get to end once the process was told to stop. */
const FINISH_MS = 10_000;
/** Before that, time in which callers are told on their kept connections to make new ones, elsewhere. */
const LINGER_MS = 1_000;
/** Longest from the wish to stop to the last connection's end. */
export const CLOSES_WITHIN_MS = LINGER_MS + FINISH_MS;

/**
 * Serve `app` until the process is told to stop; then take nothing new and let what runs end. The process is ready
 * once it listens, as long as the database answers.
 *
 * @throws {Error} with the remedy, if the port is taken
 */
export async function serve(
  app: Express,
  { host, port }: ListenOptions,
  { log, stopping, readiness }: Pick<Telemetry, "log" | "stopping" | "readiness">,
  isDatabaseThere: ReadinessCheck,
): Promise<void> {
  await using server = await listen(app, { host, port });
  // Not the engine: while it is away, requests are recorded and wait.
  readiness("database", isDatabaseThere);
  log.info({ url: server.url, docs: `${server.url}/docs` }, "api listening");
  if (!stopping.aborted) await once(stopping, "abort");
  log.info("finishing requests");
}

/** Start listening; disposing answers what is on its way for 1 s, finishes running requests for up to 10 s
 * and cuts the rest. */
export async function listen(
  app: Express,
  { host, port }: ListenOptions,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(app);
  const connections = trackConnections(server);
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

/**
 * Tell callers with each answer that it was the connection's last, and close none for a moment: a request may
 * be on its way on any. Then close what serves nothing, the rest as its last answer is out, and whatever is
 * left at the end.
 */
async function finish(server: Server, connections: Connections): Promise<void> {
  await connections.leave(LINGER_MS);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const idle = setInterval(() => connections.closeIdle(), 50);
  connections.closeIdle();
  const cut = setTimeout(() => server.closeAllConnections(), FINISH_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}

interface Connections {
  /** Let each answer from now on be its connection's last; resolves when none is open, or after `lingerMs`. */
  leave(lingerMs: number): Promise<void>;
  closeIdle(): void;
}

/**
 * Know which connections serve a request. Node's own `closeIdleConnections` leaves those open that
 * have not sent one yet, as pools and load balancers keep them, and each would delay the end.
 */
function trackConnections(server: Server): Connections {
  const open = new Set<Socket>();
  const running = new Set<ServerResponse>();
  const gone = new EventEmitter();
  let leaving = false;
  const sayLast = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader("Connection", "close");
  };
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => {
      open.delete(socket);
      if (open.size === 0) gone.emit("all");
    });
  });
  // Before the app, which may answer at once.
  server.prependListener("request", (_request, response) => {
    running.add(response);
    response.once("close", () => running.delete(response));
    if (leaving) sayLast(response);
  });
  return {
    async leave(lingerMs) {
      leaving = true;
      for (const response of running) sayLast(response);
      if (open.size === 0) return;
      const late = AbortSignal.timeout(lingerMs);
      await once(gone, "all", { signal: late }).catch(() => {});
    },
    closeIdle() {
      const busy = new Set([...running].map(({ req }) => req.socket));
      for (const socket of open) if (!busy.has(socket)) socket.end(() => socket.destroy());
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
