import { expect, test } from "vitest";
import { openLogger } from "../src/index.ts";

function setup(level = "info") {
  const written: string[] = [];
  const log = openLogger(
    { service: "pdf-worker", level },
    { write: (line: string) => void written.push(line) },
  );
  return { log, text: () => written.join(""), lines: () => written.map((l) => JSON.parse(l)) };
}

test("a line is JSON with time, level, service, values and message", () => {
  const { log, lines } = setup();
  log.info({ sizeBytes: 7 }, "invoice rendered");

  expect(lines()).toEqual([
    {
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      service: "pdf-worker",
      pid: process.pid,
      sizeBytes: 7,
      msg: "invoice rendered",
    },
  ]);
});

test("job id, subject and trace id are bindings of a child", () => {
  const { log, lines } = setup();
  log.child({ jobId: "j1", subject: "invoice:1", traceId: "t1" }).info("invoice rendered");

  expect(lines()).toMatchObject([{ jobId: "j1", subject: "invoice:1", traceId: "t1" }]);
});

test("a level below the configured one is not written", () => {
  const { log, lines } = setup("warn");
  log.info("unseen");
  expect(lines()).toEqual([]);
});

test("mail addresses leave neither by message, value, binding, error nor cause", () => {
  const { log, text, lines } = setup();
  const error = new Error("550 no anna@example.com", { cause: new Error("for anna@example.com") });

  log.child({ to: "anna@example.com" }).error({ err: error, list: ["anna@example.com"] }, "x");
  log.info("sent to %s", "anna@example.com");
  log.error(error);

  expect(text()).not.toContain("anna");
  expect(lines()[0]).toMatchObject({ to: "[mail]", list: ["[mail]"] });
  expect(lines()[0].err.stack).toMatch(/550 no \[mail\]\n.*logger\.test\.ts/);
});

test("secrets leave neither by known keys nor by URLs", () => {
  const { log, text, lines } = setup();
  const error = Object.assign(new Error("connect redis://:hunter22@queue:6379"), {
    config: { headers: { Authorization: "Bearer hunter22" } },
  });

  log.child({ token: "hunter22" }).warn({
    databaseUrl: "postgres://ann:hunter22@db/erp",
    smtp: { auth: { user: "ann", password: "hunter22" } },
    req: { headers: { cookie: "sid=hunter22" } },
    error,
  });

  expect(text()).not.toContain("hunter22");
  expect(lines()[0]).toMatchObject({
    token: "[redacted]",
    databaseUrl: "postgres://[redacted]@db/erp",
    smtp: { auth: { user: "ann", password: "[redacted]" } },
  });
});

test("an error is written whole under each name it is given", () => {
  const { log, lines } = setup();
  log.warn({ error: new RangeError("one"), cause: new Error("two") }, "x");

  expect(lines()[0]).toMatchObject({
    error: { type: "RangeError", message: "one" },
    cause: { type: "Error", message: "two" },
  });
});
