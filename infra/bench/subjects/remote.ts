/** A remote that answers some 1 KB of JSON at once, and tells a quota that nobody uses up. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { serveSubject } from "../src/subject-program.ts";

const BODY = JSON.stringify({
  items: Array.from({ length: 20 }, (_, n) => ({ sku: `SKU${n}`, quantity: n, status: "ok" })),
});

serveSubject({
  listen: async () => {
    const server = createServer((req, res) => {
      req.resume().on("end", () => {
        res.writeHead(200, {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(BODY),
          "ratelimit-limit": "1000000",
          "ratelimit-remaining": "1000000",
          "ratelimit-reset": "1",
        });
        res.end(BODY);
      });
    });
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { port: (server.address() as AddressInfo).port };
  },
});
