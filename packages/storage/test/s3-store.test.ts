import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { expect, onTestFinished, test, vi } from "vitest";
import { ObjectNotFoundError, openObjectStore, StoreUnavailableError } from "../src/index.ts";
import { openS3Store } from "../src/s3-store.ts";
import { objectStoreSuite } from "./object-store.suite.ts";
import { credentials, startS3Server } from "./s3-server.ts";

const pdf = { contentType: "application/pdf" };
/** How long a server may say nothing, where a test does not say. */
const SILENCE_MS = 30_000;
const body = new TextEncoder().encode("x");

async function setup(prefix = "some/prefix") {
  const server = await startS3Server();
  const open = (path: string, keys = credentials) =>
    openObjectStore(`s3://${path}?endpoint=${encodeURIComponent(server.endpoint)}`, keys);
  return {
    open,
    store: await open(`documents/${prefix}`),
    goDown: server.stop,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A server that answers as it is told, for what an honest one never does. */
async function setupFake(answer: RequestListener, silenceMs = SILENCE_MS) {
  const seen: { method: string; url: string; headers: NodeJS.Dict<string | string[]> }[] = [];
  const server = createServer((req, res) => {
    seen.push({ method: req.method ?? "", url: req.url ?? "", headers: req.headers });
    answer(req, res);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}`;
  const location = {
    kind: "s3",
    bucket: "documents",
    prefix: "p/",
    endpoint,
    region: "eu",
  } as const;
  return {
    seen,
    store: openS3Store(location, credentials, { silenceMs }),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** From here on the store's time passes as a test says. Not before an answer came: `fetch` would keep a timer of it. */
function stopClock(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
}

objectStoreSuite("S3", setup);

test("objects lie below the prefix of the URL", async () => {
  await using t = await setup("tenant");
  await t.store.put("a", body, pdf);
  const whole = await t.open("documents");
  expect(await whole.stat("tenant/a")).toEqual({ sizeBytes: 1 });
  expect(await whole.stat("a")).toBeUndefined();
});

test("requests are signed, path-style, with type and range", async () => {
  await using t = await setupFake((_, res) => res.writeHead(206).end("x"));
  await t.store.put("a", body, pdf);
  await buffer(await t.store.get("a", { range: { start: 0, end: 0 } }));

  expect(t.seen).toMatchObject([
    { method: "PUT", url: "/documents/p/a", headers: { "content-type": "application/pdf" } },
    { method: "GET", url: "/documents/p/a", headers: { range: "bytes=0-0" } },
  ]);
  for (const { headers } of t.seen) {
    expect(headers["authorization"]).toMatch(
      /^AWS4-HMAC-SHA256 Credential=S3RVER\/\d{8}\/eu\/s3\//,
    );
  }
});

test("wrong credentials are a store that is unavailable, with the remedy", async () => {
  await using t = await setup();
  const stranger = await t.open("documents", { accessKeyId: "no", secretAccessKey: "hunter22" });

  const refusal = await stranger.put("a", body, pdf).catch((error: unknown) => error);

  expect(refusal).toBeInstanceOf(StoreUnavailableError);
  expect(refusal).toHaveProperty("dependencyDown", true);
  expect(String(refusal)).toMatch(
    /403 InvalidAccessKeyId to PUT documents\/a: check S3_ACCESS_KEY_ID/,
  );
  expect(String(refusal)).not.toContain("hunter22");
});

test("a missing bucket is a store that is unavailable, not a missing object", async () => {
  await using t = await setup();
  const store = await t.open("elsewhere");
  await expect(store.get("a")).rejects.toThrow(/has no bucket elsewhere: create it/);
  await expect(store.get("a")).rejects.toThrow(StoreUnavailableError);
});

test.each([500, 502, 503, 429, 408, 301, 307])(
  "an answer of %i is a store that is unavailable",
  async (status) => {
    await using t = await setupFake((_, res) =>
      res.writeHead(status, { location: "http://127.0.0.1:1/" }).end(),
    );
    await expect(t.store.put("a", body, pdf)).rejects.toThrow(StoreUnavailableError);
    await expect(t.store.get("a")).rejects.toThrow(StoreUnavailableError);
    await expect(t.store.stat("a")).rejects.toThrow(StoreUnavailableError);
    await expect(t.store.delete("a")).rejects.toThrow(StoreUnavailableError);
  },
);

test("a redirect is not followed: the signature is for this server, and so is the document", async () => {
  await using t = await setupFake((req, res) =>
    req.url === "/other" ? res.end() : res.writeHead(307, { location: "/other" }).end(),
  );
  await expect(t.store.put("a", body, pdf)).rejects.toThrow(/endpoint and region in STORAGE_URL/);
  expect(t.seen.map(({ url }) => url)).toEqual(["/documents/p/a"]);
});

test("an answer of 400 is an error of the request, naming it", async () => {
  await using t = await setupFake((_, res) => res.writeHead(400).end());
  const refusal = await t.store.put("a", body, pdf).catch((error: unknown) => error);
  expect(refusal).not.toBeInstanceOf(StoreUnavailableError);
  expect(refusal).not.toBeInstanceOf(ObjectNotFoundError);
  expect(String(refusal)).toMatch(/400 Unknown to PUT documents\/a/);
});

test("a server that stays silent is unavailable after the timeout", async () => {
  await using t = await setupFake(() => undefined, 50);
  const late = { code: "timeout" };
  await expect(t.store.put("a", body, pdf)).rejects.toMatchObject(late);
  await expect(t.store.get("a")).rejects.toMatchObject(late);
  await expect(t.store.stat("a")).rejects.toMatchObject(late);
  await expect(t.store.delete("a")).rejects.toMatchObject(late);
});

test("a body that stops midway is unavailable after the timeout", async () => {
  await using t = await setupFake((_, res) =>
    res.writeHead(200, { "content-length": 10 }).write("half"),
  );
  const stream = await t.store.get("a");
  stopClock();
  const refused = expect(buffer(stream)).rejects.toMatchObject({ code: "timeout" });
  await once(stream, "data");
  await expect.poll(() => vi.getTimerCount()).toBe(1); // the rest is waited for
  await vi.advanceTimersByTimeAsync(SILENCE_MS);
  await refused;
});

test("a slow reader is not a silent server", async () => {
  await using t = await setupFake((_, res) => void res.end(Buffer.alloc(1024 * 1024)));
  const stream = await t.store.get("a");
  stopClock();
  await once(stream, "readable");
  // Full: from here on it is the reader who takes its time.
  await expect.poll(() => stream.readableLength >= stream.readableHighWaterMark).toBe(true);
  await vi.advanceTimersByTimeAsync(2 * SILENCE_MS);
  expect((await buffer(stream)).byteLength).toBe(1024 * 1024);
});

test("a body that is cut off is an error, never a short object", async () => {
  await using t = await setupFake((_, res) => {
    res.writeHead(200, { "content-length": 10 }).write("half", () => res.destroy());
  });
  const stream = await t.store.get("a");
  await expect(buffer(stream)).rejects.toThrow(StoreUnavailableError);
});

test("a whole object in answer to a range is refused", async () => {
  await using t = await setupFake((_, res) => res.writeHead(200).end("0123456789"));
  await expect(t.store.get("a", { range: { start: 1, end: 2 } })).rejects.toThrow(/range/);
});

test("closing the store ends what still runs", async () => {
  await using t = await setupFake(() => undefined);
  const asked = t.store.stat("a");
  await t.store[Symbol.asyncDispose]();
  await expect(asked).rejects.toThrow(/closed/);
  await expect(t.store.stat("a")).rejects.toThrow(/closed/);
});
