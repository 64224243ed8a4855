import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Proxy extends AsyncDisposable {
  /** The server's, by way of this door. */
  readonly url: string;
  /** Break what goes through and let nobody in until `open`: a process that ended. */
  shut(): void;
  open(): void;
  /** What goes through goes silent and nobody is told, as if a host had vanished; whoever comes next is let in. */
  vanish(): void;
  /** Whoever comes next is led to another server; those that are through stay with the one they have. */
  leadTo(url: string): void;
}

/** A door in front of a server. */
export async function openProxy(url: string): Promise<Proxy> {
  let server = new URL(url);
  const through = new Set<Socket>();
  const silent = new Set<Socket>();
  let isOpen = true;
  const listening = createServer((inner) => {
    if (!isOpen) return void inner.destroy();
    const outer = connect(Number(server.port), server.hostname);
    for (const socket of [inner, outer]) {
      through.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        if (silent.has(socket)) return;
        through.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    inner.pipe(outer).pipe(inner);
  });
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const address = listening.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const door = new URL(url);
  door.hostname = "127.0.0.1";
  door.port = String(address.port);
  const shut = () => {
    isOpen = false;
    for (const socket of through) socket.destroy();
  };
  return {
    url: door.href,
    shut,
    open() {
      isOpen = true;
    },
    vanish() {
      for (const socket of through) {
        silent.add(socket);
        socket.unpipe().resume();
      }
      through.clear();
    },
    leadTo(other) {
      server = new URL(other);
    },
    async [Symbol.asyncDispose]() {
      shut();
      for (const socket of silent) socket.destroy();
      listening.close();
      await once(listening, "close");
    },
  };
}
