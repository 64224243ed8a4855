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

/** `wanted` if it is free, else the next free one among the following hundred. */
export async function portFrom(wanted: number, host = "127.0.0.1"): Promise<number> {
  for (let port = wanted; port <= Math.min(wanted + 100, 65_535); port++) {
    if (await tryPort(port, host)) return port;
  }
  throw new Error(`ports ${wanted} to ${wanted + 100} on ${host} are all taken: set API_PORT`);
}
