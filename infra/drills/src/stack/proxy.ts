import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy between a client and a server that stays as it is, so that a fault hits one client alone. */
export interface Proxy extends AsyncDisposable {
  readonly port: number;
  /** Break what stands and refuse what comes. */
  refuse(): Promise<void>;
  /** Take connections again, at the same port. */
  accept(): Promise<void>;
  /** Keep connections and pass nothing on, in either direction. */
  freeze(): void;
  thaw(): void;
}

export async function startProxy(target: { host: string; port: number }): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let frozen = false;
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;

  async function listen(at: number): Promise<Server> {
    const opened = createServer((client) => {
      const upstream = connect(target.port, target.host);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(from);
        from.on("error", () => {});
        from.on("close", () => {
          sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
        if (frozen) from.pause();
      }
    });
    opened.listen(at, "127.0.0.1");
    await once(opened, "listening");
    return opened;
  }
  const refuse = async () => {
    const closed = server.listening ? once(server, "close") : undefined;
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  return {
    port,
    refuse,
    async accept() {
      if (!server.listening) server = await listen(port);
    },
    freeze() {
      frozen = true;
      for (const socket of sockets) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of sockets) socket.resume();
    },
    [Symbol.asyncDispose]: refuse,
  };
}
