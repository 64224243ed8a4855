import { createServer } from "node:net";

const tryPort = (port: number, host: string): Promise<number | undefined> =>
  new Promise((found) => {
    const server = createServer();
    server.once("error", () => found(undefined));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() =>
        found(address !== null && typeof address === "object" ? address.port : undefined),
      );
    });
  });

/** A port that was free a moment ago. Whoever binds it must be ready to lose the race and ask again. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  const port = await tryPort(0, host);
  if (port === undefined) throw new Error(`no free port on ${host}`);
  return port;
}

/** A port that no other stack on this machine takes until it is disposed. */
export interface ClaimedPort extends AsyncDisposable {
  readonly port: number;
}

/**
 * Claim `wanted` if it is free, else the next free one among the following hundred.
 *
 * A look at the port is not enough: it is bound seconds later, by the service, and two stacks that
 * start together would both find it free.
 */
export async function claimPort(wanted: number, host = "127.0.0.1"): Promise<ClaimedPort> {
  for (let port = wanted; port <= Math.min(wanted + 100, 65_535); port++) {
    const claim = await claimName(`ballast-api-port-${port}`);
    if (!claim) continue;
    if (await tryPort(port, host)) return { port, [Symbol.asyncDispose]: claim.release };
    await claim.release();
  }
  throw new Error(`ports ${wanted} to ${wanted + 100} on ${host} are all taken: set API_PORT`);
}

/** Names of Linux's abstract sockets belong to one process at a time, and to nobody once it is killed. */
async function claimName(name: string): Promise<{ release: () => Promise<void> } | undefined> {
  if (process.platform !== "linux") return { release: async () => {} };
  const holder = createServer((socket) => socket.destroy());
  const held = await new Promise<boolean>((done) => {
    holder.once("error", () => done(false));
    holder.listen(`\0${name}`, () => done(true));
  });
  if (!held) return undefined;
  holder.unref();
  return { release: () => new Promise((closed) => holder.close(() => closed())) };
}
