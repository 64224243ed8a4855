import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A door in front of a server: `shut` breaks what goes through and lets nobody in until `open`. */
export async function openProxy(url: string) {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let isOpen = true;
  const server = createServer((inner) => {
    if (!isOpen) return void inner.destroy();
    const outer = connect(Number(port), hostname);
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        inner.destroy();
        outer.destroy();
        sockets.delete(socket);
      });
    }
    inner.pipe(outer).pipe(inner);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const through = new URL(url);
  through.hostname = "127.0.0.1";
  through.port = String(address.port);
  const shut = () => {
    isOpen = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: through.href,
    shut,
    open() {
      isOpen = true;
    },
    async [Symbol.asyncDispose]() {
      shut();
      server.close();
      await once(server, "close");
    },
  };
}
