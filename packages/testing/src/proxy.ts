import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A door in front of a server, so that what befalls the server befalls those alone who come through it. */
export interface Proxy extends AsyncDisposable {
  /** The server's, by way of this door; the same for as long as it stands. */
  readonly url: string;
  /** Break what goes through and refuse whoever comes, until `open`: a process that ended. */
  shut(): Promise<void>;
  /** Pass nothing on, in either direction, until `open`: a process that hangs. */
  freeze(): void;
  /**
   * What goes through goes silent for ever, and so does whoever comes, until `open`; nobody is told: a host that
   * vanished, and a successor that took its address.
   */
  vanish(): void;
  /** Let people in, and let go on what was frozen. */
  open(): Promise<void>;
  /** Whoever comes next is led to another server; those that are through stay with the one they have. */
  leadTo(url: string): void;
}

export async function openProxy(url: string): Promise<Proxy> {
  let server = new URL(url);
  let state: "open" | "shut" | "frozen" | "vanished" = "open";
  const through = new Set<Socket>();
  const silent = new Set<Socket>();

  const enter = (inner: Socket) => {
    if (state === "shut") return void inner.resetAndDestroy(); // it was at the door already
    if (state === "vanished") return void silence(inner);
    const outer = connect(Number(server.port), server.hostname);
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      through.add(from);
      from.on("error", () => {});
      from.on("close", () => {
        if (through.delete(from)) to.destroy();
      });
      from.pipe(to);
      if (state === "frozen") from.pause();
    }
  };
  /** Whoever is at its other end hears nothing, not even that this end closed. */
  const silence = (socket: Socket) => {
    through.delete(socket);
    silent.add(socket);
    socket.on("error", () => {});
    socket.unpipe().resume();
  };
  const listen = async (port: number): Promise<Server> => {
    const listening = createServer({ allowHalfOpen: true }, enter);
    listening.listen(port, "127.0.0.1");
    await once(listening, "listening");
    return listening;
  };
  const shut = async () => {
    state = "shut";
    const closed = listening.listening ? once(listening, "close") : undefined;
    listening.close();
    for (const socket of through) socket.resetAndDestroy();
    await closed;
  };

  let listening = await listen(0);
  const { port } = listening.address() as AddressInfo;
  const door = Object.assign(new URL(url), { hostname: "127.0.0.1", port: String(port) });
  return {
    url: door.href,
    shut,
    freeze() {
      state = "frozen";
      for (const socket of through) socket.pause();
    },
    vanish() {
      state = "vanished";
      for (const socket of through) silence(socket);
    },
    async open() {
      if (!listening.listening) listening = await listen(port);
      state = "open";
      for (const socket of through) socket.resume();
    },
    leadTo(other) {
      server = new URL(other);
    },
    async [Symbol.asyncDispose]() {
      for (const socket of silent) socket.destroy();
      await shut();
    },
  };
}
