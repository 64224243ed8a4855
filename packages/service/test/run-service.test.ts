import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { startTraceCollector } from "@ballast/testing";
import { expect, test, vi } from "vitest";

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly [key: string]: unknown;
}

/** Start the test service as a process; it is killed at the end whatever happened. */
function start(main: string, env: Record<string, string> = {}) {
  const program = join(import.meta.dirname, "programs/service.ts");
  const child: ChildProcess = spawn(process.execPath, [program, main], { env });
  const written = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => (written.stdout += chunk));
  child.stderr?.on("data", (chunk) => (written.stderr += chunk));
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal }));

  const lines = (): Line[] =>
    written.stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Line]));
  const logged = (msg: string) =>
    vi.waitFor(
      () => {
        const line = lines().find((candidate) => candidate.msg === msg);
        if (line === undefined) throw new Error(`not logged: ${msg}; ${JSON.stringify(written)}`);
        return line;
      },
      { timeout: 60_000 },
    );

  return {
    ended,
    lines,
    logged,
    messages: () => lines().map(({ msg }) => msg),
    stderr: () => written.stderr,
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    async ready() {
      const { host, port } = await logged("ops server listening");
      const res = await fetch(`http://${host}:${port}/readyz`);
      return { status: res.status, body: await res.json() };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

test("a main that returns ends the process with 0", async () => {
  await using service = start("returns-at-once");
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(service.messages()).toEqual(["ops server listening", "service stopped"]);
  expect(service.lines()[0]).toMatchObject({ service: "test-service", host: "127.0.0.1" });
  expect(service.stderr()).toBe("");
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s lets main finish its work and ends with 0",
  async (signal) => {
    await using service = start("works-until-told");
    await service.logged("main running");
    expect((await service.ready()).status).toBe(200);

    service.signal(signal);

    expect(await service.ended).toEqual({ code: 0, signal: null });
    expect(service.messages()).toEqual([
      "ops server listening",
      "main running",
      "told to stop",
      "main closing",
      "service stopped",
    ]);
  },
);

test("while main still closes, the process is alive and not ready", async () => {
  await using service = start("slow-to-close");
  await service.logged("main running");
  service.signal("SIGTERM");
  await service.logged("told to stop");

  expect(await service.ready()).toEqual({
    status: 503,
    body: { ready: false, failing: { process: "it is stopping" } },
  });
});

test.each([
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const)("a second %s exits at once with %i", async (signal, code) => {
  await using service = start("never-ends");
  await service.logged("main running");
  service.signal("SIGTERM");
  await service.logged("told to stop");

  const again = setInterval(() => service.signal(signal), 50); // the first few are the same wish
  const ended = await service.ended.finally(() => clearInterval(again));

  expect(ended).toEqual({ code, signal: null });
  expect(service.messages()).toContain("told to stop again, exiting at once");
});

test("a Ctrl-C that arrives from the terminal and from a launcher is one wish", async () => {
  await using service = start("slow-to-close");
  await service.logged("main running");
  service.signal("SIGINT");
  service.signal("SIGTERM");
  await service.logged("told to stop");

  expect((await service.ready()).status).toBe(503); // still there
});

test("a main that throws because it was told to stop ends with 0", async () => {
  await using service = start("waits-for-the-signal");
  await service.logged("main running");
  service.signal("SIGTERM");
  expect(await service.ended).toEqual({ code: 0, signal: null });
});

test("a main that throws is logged, scrubbed, and ends with 1", async () => {
  await using service = start("throws");
  expect(await service.ended).toEqual({ code: 1, signal: null });
  expect(await service.logged("service failed")).toMatchObject({
    level: "fatal",
    err: { message: "no answer from [mail]", stack: expect.stringContaining("service.ts") },
  });
});

test("a main that throws undefined ends with 1 too", async () => {
  await using service = start("throws-nothing");
  expect(await service.ended).toEqual({ code: 1, signal: null });
});

test("an exception nobody catches is logged, hooks run even after one broke, and it ends with 70", async () => {
  await using service = start("exception-nobody-catches");
  expect(await service.ended).toEqual({ code: 70, signal: null });
  expect(await service.logged("uncaught exception")).toMatchObject({
    level: "fatal",
    err: { message: "boom" },
  });
  expect(await service.logged("hook ran")).toMatchObject({ reason: { message: "boom" } });
  expect(await service.logged("fatal hook failed")).toMatchObject({
    err: { message: "hook broke" },
  });
  await service.logged("later hook ran");
});

test("a rejection nobody catches is logged, hooks run, and it ends with 70", async () => {
  await using service = start("rejection-nobody-catches");
  expect(await service.ended).toEqual({ code: 70, signal: null });
  expect(service.messages().slice(-2)).toEqual(["unhandled rejection", "hook ran"]);
});

test("an error in the wake of the first is logged, and the hooks run once", async () => {
  await using service = start("hook-that-throws-elsewhere");
  expect(await service.ended).toEqual({ code: 70, signal: null });
  expect(service.messages().slice(1)).toEqual([
    "uncaught exception",
    "hook ran",
    "uncaught exception",
  ]);
});

test("a fatal hook that hangs delays the exit by two seconds and no more", async () => {
  await using service = start("hook-that-hangs");
  await service.logged("uncaught exception");
  const startedMs = performance.now();

  expect(await service.ended).toEqual({ code: 70, signal: null });
  expect(performance.now() - startedMs).toBeLessThan(4_000);
  expect(service.messages()).toContain("fatal hooks did not finish in time");
});

test("something left open after main is named, and the process ends with 0 all the same", async () => {
  await using service = start("leaves-a-server-open");
  expect(await service.ended).toEqual({ code: 0, signal: null });
  expect(await service.logged("something kept the process alive, exiting")).toMatchObject({
    level: "warn",
    resources: expect.arrayContaining(["TCPServerWrap"]),
  });
});

test("bad configuration is one line a variable on stderr, and ends with 78", async () => {
  await using service = start("config-refused");
  expect(await service.ended).toEqual({ code: 78, signal: null });
  expect(service.stderr()).toBe("test-service: ONE is bad\ntest-service: TWO is bad\n");
  expect(service.lines()).toEqual([]);
});

test("settings that show to be bad once they are used are one line, without secrets, and end with 78", async () => {
  await using service = start("finds-its-settings-bad");
  expect(await service.ended).toEqual({ code: 78, signal: null });
  expect(service.stderr()).toBe(
    "test-service: QUEUE_URL: redis://[redacted]@host would drop jobs\n",
  );
});

test("bad variables of the environment are all named, without their values", async () => {
  await using service = start("returns-at-once", {
    LOG_LEVEL: "hunter22",
    OPS_PORT: "99999",
    GREETING: "hi",
    GREETING_FILE: "/tmp/x",
  });
  expect((await service.ended).code).toBe(78);
  expect(service.stderr().trimEnd().split("\n")).toHaveLength(3);
  expect(service.stderr()).not.toContain("hunter22");
});

test("a reader that breaks in another way is a failure, not bad configuration", async () => {
  await using service = start("config-breaks");
  expect((await service.ended).code).toBe(1);
  await service.logged("configuration not read");
});

test.each([
  ["ends-a-span", 0],
  ["crashes-in-a-span", 70],
] as const)(
  "the last span of a process that %s is delivered before it exits %i",
  async (main, code) => {
    await using collector = await startTraceCollector();
    await using service = start(main, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });

    expect(await service.ended).toMatchObject({ code });
    expect(collector.spans()).toMatchObject([{ name: "last", service: "test-service" }]);
  },
);
