import { Registry } from "prom-client";
import { expect, test, vi } from "vitest";
import { openLiveness } from "../src/liveness.ts";
import { declareMetrics } from "../src/metrics.ts";
import { openOpsServer } from "../src/ops-server.ts";
import { openReadiness } from "../src/readiness.ts";

async function setup() {
  const stop = new AbortController();
  const registry = new Registry();
  const { ready } = declareMetrics(registry);
  const readiness = openReadiness(stop.signal, (check, isReady) =>
    ready.set({ check }, Number(isReady)),
  );
  const liveness = openLiveness();
  const parts = { liveness, readiness, registry };
  const server = await openOpsServer({ host: "127.0.0.1", port: 0 }, parts);
  return {
    liveness,
    readiness,
    port: server.port,
    stop: () => stop.abort(),
    async get(path: string, init?: RequestInit) {
      const res = await fetch(`http://127.0.0.1:${server.port}${path}`, init);
      return { status: res.status, type: res.headers.get("content-type"), text: await res.text() };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const json = ({ status, text }: { status: number; text: string }) => [status, JSON.parse(text)];

test("/healthz answers while the event loop turns, whatever the checks say", async () => {
  await using t = await setup();
  t.readiness.add("database", () => Promise.reject(new Error("down")));
  expect(json(await t.get("/healthz"))).toEqual([200, { status: "ok" }]);
});

test("/healthz is 503 while a check of life fails, and names it", async () => {
  await using t = await setup();
  let reason: string | undefined = "given no job for 90 s";
  t.liveness.add("queue pdf", () => reason);
  expect(json(await t.get("/healthz"))).toEqual([
    503,
    { status: "stale", failing: { "queue pdf": "given no job for 90 s" } },
  ]);

  reason = undefined;
  expect(json(await t.get("/healthz"))).toEqual([200, { status: "ok" }]);
});

test("/readyz is 503 until a check exists, then 200 when all pass", async () => {
  await using t = await setup();
  expect(json(await t.get("/readyz"))).toEqual([
    503,
    { ready: false, failing: { process: "it is starting" } },
  ]);

  t.readiness.add("database", async () => undefined);
  expect(json(await t.get("/readyz"))).toEqual([200, { ready: true, failing: {} }]);
});

test("/readyz names each failing check, without secrets, also one that throws at once", async () => {
  await using t = await setup();
  t.readiness.add("database", () => Promise.reject(new Error("no postgres://u:pw@db")));
  t.readiness.add("queue", () => {
    throw new Error("closed");
  });
  t.readiness.add("storage", async () => undefined);

  expect(json(await t.get("/readyz"))).toEqual([
    503,
    { ready: false, failing: { database: "no postgres://[redacted]@db", queue: "closed" } },
  ]);
});

test("/metrics tells what each check comes to at that moment", async () => {
  await using t = await setup();
  let isThere = false;
  t.readiness.add("queue", async () => undefined);
  t.readiness.add("database", async () => {
    if (!isThere) throw new Error("down");
  });
  const told = async () => (await t.get("/metrics")).text.match(/^ballast_ready.*$/gm);
  expect(await told()).toEqual([
    'ballast_ready{check="queue"} 1',
    'ballast_ready{check="database"} 0',
  ]);
  isThere = true;
  expect(await told()).toEqual([
    'ballast_ready{check="queue"} 1',
    'ballast_ready{check="database"} 1',
  ]);
});

test("/readyz gives a check one second, and parallel callers share one run", async () => {
  await using t = await setup();
  const check = vi.fn(() => new Promise<void>(() => undefined));
  t.readiness.add("database", check);
  const startedMs = performance.now();

  const answers = await Promise.all([t.get("/readyz"), t.get("/readyz"), t.get("/readyz")]);

  expect(performance.now() - startedMs).toBeLessThan(1_900);
  expect(check).toHaveBeenCalledTimes(1);
  for (const answer of answers) {
    expect(json(answer)[1]).toEqual({
      ready: false,
      failing: { database: "no answer within 1000 ms" },
    });
  }
});

test("/readyz is 503 once the process is stopping, and no check is run", async () => {
  await using t = await setup();
  const check = vi.fn(async () => undefined);
  t.readiness.add("database", check);
  t.stop();

  expect(json(await t.get("/readyz"))).toEqual([
    503,
    { ready: false, failing: { process: "it is stopping" } },
  ]);
  expect(check).not.toHaveBeenCalled();
});

test("/metrics answers in Prometheus' text format", async () => {
  await using t = await setup();
  expect(await t.get("/metrics")).toMatchObject({
    status: 200,
    type: expect.stringMatching(/^text\/plain; version=0\.0\.4/),
  });
});

test("another path is 404 and another method 405", async () => {
  await using t = await setup();
  expect((await t.get("/constructor")).status).toBe(404);
  expect((await t.get("/healthz", { method: "POST" })).status).toBe(405);
  expect((await t.get("/healthz?probe=1")).status).toBe(200);
});

test("a taken port is an error that names it and the remedy", async () => {
  await using t = await setup();
  await expect(
    openOpsServer(
      { host: "127.0.0.1", port: t.port },
      { liveness: openLiveness(), readiness: t.readiness, registry: new Registry() },
    ),
  ).rejects.toThrow(`cannot listen on 127.0.0.1:${t.port} (EADDRINUSE): set OPS_HOST`);
});

test("closing does not wait for connections that a scraper keeps alive, and may be repeated", async () => {
  const t = await setup();
  await t.get("/healthz", { headers: { connection: "keep-alive" } });
  await t[Symbol.asyncDispose]();
  await t[Symbol.asyncDispose]();
  await expect(t.get("/healthz")).rejects.toThrow();
});
