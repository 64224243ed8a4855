import { describe, expect, test } from "vitest";
import { chooseEngine, describeEngine } from "../src/engine.ts";

const on =
  (...installed: string[]) =>
  (name: string) =>
    installed.includes(name) ? `/usr/bin/${name}` : undefined;

describe("the queue engine is chosen in one place", () => {
  test.each([
    {
      title: "QUEUE_URL wins over an installed Redis",
      url: "redis://queue.internal:6379",
      find: on("redis-server"),
      choice: { from: "environment", kind: "redis", url: "redis://queue.internal:6379" },
    },
    {
      title: "QUEUE_URL may name PostgreSQL although Redis is installed",
      url: "postgres://queue.internal/jobs",
      find: on("redis-server"),
      choice: { from: "environment", kind: "postgres", url: "postgres://queue.internal/jobs" },
    },
    {
      title: "a sentinel is Redis",
      url: "redis+sentinel://a:26379,b:26379/main",
      find: on(),
      choice: { from: "environment", kind: "redis", url: "redis+sentinel://a:26379,b:26379/main" },
    },
    {
      title: "redis-server on PATH is run privately",
      url: undefined,
      find: on("valkey-server", "redis-server"),
      choice: { from: "path", kind: "redis", binary: "/usr/bin/redis-server" },
    },
    {
      title: "valkey-server does as well",
      url: undefined,
      find: on("valkey-server"),
      choice: { from: "path", kind: "redis", binary: "/usr/bin/valkey-server" },
    },
    {
      title: "an empty QUEUE_URL is none",
      url: "",
      find: on("redis-server"),
      choice: { from: "path", kind: "redis", binary: "/usr/bin/redis-server" },
    },
    {
      title: "with nothing installed the database holds the queues",
      url: undefined,
      find: on(),
      choice: { from: "database", kind: "postgres" },
    },
  ])("$title", ({ url, find, choice }) => {
    expect(chooseEngine(url, find)).toEqual(choice);
  });

  test("a QUEUE_URL that no engine understands is refused with the ones that are", () => {
    expect(() => chooseEngine("amqp://queue.internal", on())).toThrow(/"amqp".*redis:\/\//);
  });

  test("what is said of the choice holds no password", () => {
    const choice = chooseEngine("redis://:hunter2@queue.internal:6379", on());
    expect(describeEngine(choice)).not.toContain("hunter2");
  });
});
