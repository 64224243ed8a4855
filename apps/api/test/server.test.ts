import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { until } from "@ballast/testing";
import express from "express";
import { expect, test } from "vitest";
import { listen, serve } from "../src/server.ts";

test("a port that is taken is named, with what to do about it", async () => {
  await using first = await listen(express(), { host: "127.0.0.1", port: 0 });
  const port = Number(new URL(first.url).port);
  await expect(listen(express(), { host: "127.0.0.1", port })).rejects.toThrow(
    `port ${port} on 127.0.0.1 is taken: stop what listens there, or set API_PORT to a free port`,
  );
});

test("a process that does not listen yet is not ready", async () => {
  const checks: string[] = [];
  const stopping = new AbortController();
  const telemetry = {
    log: { info() {} } as never,
    stopping: stopping.signal,
    readiness: (name: string) => void checks.push(name),
  };
  await using first = await listen(express(), { host: "127.0.0.1", port: 0 });
  const taken = { host: "127.0.0.1", port: Number(new URL(first.url).port) };
  await expect(serve(express(), taken, telemetry, async () => {})).rejects.toThrow("is taken");
  expect(checks).toEqual([]);

  const serving = serve(express(), { ...taken, port: 0 }, telemetry, async () => {});
  await until(() => checks.length > 0);
  stopping.abort();
  await serving;
});

test("stopping lets a running request finish, and connections that ask nothing do not delay it", async () => {
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const app = express().get("/slow", async (_req, res) => {
    reached.resolve();
    await gate.promise;
    res.send("done");
  });
  const server = await listen(app, { host: "127.0.0.1", port: 0 });
  const { hostname, port } = new URL(server.url);
  const silent = connect(Number(port), hostname);
  await once(silent, "connect");
  const answer = fetch(`${server.url}/slow`).then((response) => response.text());
  await reached.promise;

  const stopped = server[Symbol.asyncDispose]();
  await once(silent, "close");
  await expect(fetch(`${server.url}/slow`)).rejects.toThrow();
  gate.resolve();
  expect(await answer).toBe("done");
  const startedAt = performance.now();
  await stopped;
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

test("a request on a kept connection just after the stop is answered, and told to go elsewhere", async () => {
  const app = express().get("/", (_req, res) => void res.send("here"));
  const server = await listen(app, { host: "127.0.0.1", port: 0 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = () =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(server.url, { agent }, (response) => {
        response.resume().once("end", () => resolve(response));
      }).once("error", reject);
    });
  expect((await ask()).headers.connection).toBe("keep-alive");

  const stopped = server[Symbol.asyncDispose]();
  const last = await ask();
  expect(last).toMatchObject({ statusCode: 200, headers: { connection: "close" } });
  await stopped;
  agent.destroy();
});
