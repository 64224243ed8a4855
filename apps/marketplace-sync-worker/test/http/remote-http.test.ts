import { DependencyDownError, PermanentError } from "@ballast/jobs";
import { type HttpBehaviour, startHttpRecorder } from "@ballast/testing";
import { SMTPServer } from "smtp-server";
import { expect, test } from "vitest";
import { openRemoteHttp, type RemoteHttpOptions } from "../../src/http/remote-http.ts";
import { keptLog } from "../kept-log.ts";
import { usedHeapBytes } from "./used-heap.ts";

const never = new AbortController().signal;

async function setup(behaviour: HttpBehaviour, options: Partial<RemoteHttpOptions> = {}) {
  const server = await startHttpRecorder(behaviour);
  const log = keptLog();
  const http = openRemoteHttp({ log, allowPrivate: true, ...options });
  return {
    server,
    log,
    http,
    ask: () =>
      http.request(
        {
          method: "POST",
          url: `${server.url}/stock`,
          headers: { Authorization: "Bearer s3cr3t" },
          body: { quantity: 5 },
        },
        never,
      ),
    async [Symbol.asyncDispose]() {
      await http[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

const thrown = async (work: Promise<unknown>): Promise<Error & { code?: string }> =>
  work.then(
    () => {
      throw new Error("it did not throw");
    },
    (error) => error,
  );

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test("an answer comes back whatever its status, with its headers and its JSON", async () => {
  await using t = await setup({
    kind: "answer",
    status: 418,
    body: { tea: true },
    headers: { "Retry-After": "7" },
  });
  expect(await t.ask()).toMatchObject({
    status: 418,
    headers: { "retry-after": "7" },
    body: { tea: true },
    sizeBytes: 12,
  });
  expect(t.server.requests[0]).toMatchObject({
    method: "POST",
    json: { quantity: 5 },
    headers: { "content-type": "application/json", authorization: "Bearer s3cr3t" },
  });
});

test("an answer that is no JSON has no body, and is logged by its size and status alone", async () => {
  await using t = await setup({ kind: "answer", status: 200, body: "<h1>token=s3cr3t</h1>" });
  expect((await t.ask()).body).toBeUndefined();
  expect(t.log.lines).toMatchObject([{ level: "warn", values: { status: 200, sizeBytes: 21 } }]);
  expect(JSON.stringify(t.log.lines)).not.toContain("s3cr3t");
});

test.each([
  ["announced", "only the beginning", { "Content-Length": "999999999" }],
  ["not announced", "x".repeat(200_000), {}],
])("an answer larger than the bound, %s, is not read to its end", async (_how, body, headers) => {
  await using t = await setup(
    { kind: "answer", status: 200, body, headers },
    { maxAnswerBytes: 100_000 },
  );
  const error = await thrown(t.ask());
  expect(error).toBeInstanceOf(DependencyDownError);
  expect(error.code).toBe("answer_too_large");
  expect(t.log.lines).toMatchObject([{ values: { code: "answer_too_large", status: 200 } }]);
});

test("2 MiB are read, and more only where more was asked for", async () => {
  await using t = await setup({ kind: "answer", status: 200, body: `"${"x".repeat(2_100_000)}"` });
  expect(await thrown(t.ask())).toMatchObject({ code: "answer_too_large" });
  const url = `${t.server.url}/products`;
  const large = await t.http.request({ method: "GET", url, maxBytes: 3_000_000 }, never);
  expect(large.sizeBytes).toBe(2_100_002);
  expect(
    await thrown(t.http.request({ method: "GET", url, maxBytes: 1_000 }, never)),
  ).toMatchObject({ code: "answer_too_large" });
});

test("answers of a million things that are looked at and kept take no more room than their text", async () => {
  const things = `[${"{},".repeat(600_000)}{}]`;
  await using t = await setup({ kind: "answer", status: 200, body: things });
  const before = usedHeapBytes();
  const kept = [];
  for (let n = 0; n < 4; n++) {
    const answer = await t.ask();
    expect((answer.body as unknown[]).length).toBe(600_001);
    kept.push(answer);
  }
  await nextTurn();
  expect(usedHeapBytes() - before).toBeLessThan(10_000_000);
  for (const { body } of kept) expect((body as unknown[]).length).toBe(600_001);
});

test("a large answer without an object in it is read like any other", async () => {
  await using t = await setup({ kind: "answer", status: 200, body: `"${"x".repeat(100_000)}"` });
  expect((await t.ask()).body).toHaveLength(100_000);
});

test("an answer that drips without end is ended by the time for the whole", async () => {
  await using t = await setup({ kind: "drip" }, { timeoutMs: 2_000 });
  expect(await thrown(t.ask())).toMatchObject({
    code: "answer_endless",
    message: "no whole answer within 2000 ms",
  });
  expect(t.log.lines).toMatchObject([
    { values: { code: "answer_endless", status: 200, sizeBytes: expect.any(Number) } },
  ]);
});

test("headers that do not come are ended by their own time", async () => {
  await using t = await setup({ kind: "hang" }, { headersTimeoutMs: 200 });
  expect(await thrown(t.ask())).toMatchObject({
    code: "no_answer",
    message: expect.stringContaining("UND_ERR_HEADERS_TIMEOUT"),
  });
});

test("redirects are not followed", async () => {
  await using elsewhere = await startHttpRecorder();
  await using t = await setup({
    kind: "answer",
    status: 307,
    headers: { Location: elsewhere.url },
  });
  expect((await t.ask()).status).toBe(307);
  expect(elsewhere.requests).toEqual([]);
});

test("a broken connection is told without address, headers or body", async () => {
  await using t = await setup({ kind: "drop" });
  const error = await thrown(t.ask());
  expect(error).toMatchObject({ code: "no_answer" });
  expect(error.cause).toBeUndefined();
  const told = JSON.stringify([error, error.message, error.stack, t.log.lines]);
  expect(told).not.toContain("s3cr3t");
  expect(told).not.toContain("quantity");
});

test("where nobody listens there is no answer", async () => {
  const gone = await startHttpRecorder();
  await gone[Symbol.asyncDispose]();
  await using http = openRemoteHttp({ log: keptLog(), allowPrivate: true });
  const error = await thrown(http.request({ method: "GET", url: gone.url }, never));
  expect(error).toMatchObject({
    code: "no_answer",
    message: expect.stringContaining("ECONNREFUSED"),
  });
});

test("an abort ends a call that is under way, and the connection with it", async () => {
  await using t = await setup({ kind: "drip" });
  const stop = new AbortController();
  const asking = thrown(t.http.request({ method: "GET", url: t.server.url }, stop.signal));
  await t.server.waitForRequests(1);
  stop.abort(new Error("shutting down"));
  expect((await asking).message).toBe("shutting down");
});

test("a remote whose certificate nobody trusts is not spoken to", async () => {
  const server = new SMTPServer({ secure: true, logger: false });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.server.address() as { port: number };
  server.on("error", () => {}); // our hanging up
  await using http = openRemoteHttp({ log: keptLog(), allowPrivate: true });
  const error = await thrown(
    http.request({ method: "GET", url: `https://127.0.0.1:${port}/` }, never),
  );
  await new Promise<void>((closed) => server.close(() => closed()));
  expect(error.code).toBe("certificate_refused");
  expect(error.message).toMatch(/CERT|SELF_SIGNED/);
});

test.each([
  ["http://shop.example.org/", "https"],
  ["https://127.0.0.1/", "private"],
  ["https://[::1]/", "private"],
  ["https://169.254.169.254/latest/meta-data", "private"],
  ["https://localhost/", "private"],
])("%s is out of bounds for accounts", async (url, why) => {
  await using http = openRemoteHttp({ log: keptLog() });
  const error = await thrown(http.request({ method: "GET", url }, never));
  expect(error).toBeInstanceOf(PermanentError);
  expect(error).toMatchObject({
    code: "address_not_allowed",
    message: expect.stringContaining(why),
  });
});

test("an aborted signal asks nobody", async () => {
  await using t = await setup({ kind: "answer", status: 200 });
  const stopped = AbortSignal.abort(new Error("stopped"));
  const error = await thrown(t.http.request({ method: "GET", url: t.server.url }, stopped));
  expect(error.message).toBe("stopped");
  expect(t.server.requests).toEqual([]);
});
