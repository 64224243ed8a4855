import { describe, expect, test } from "vitest";
import { asJobError, PermanentError, TransientError } from "../src/errors.ts";

const withCode = (code: string, more: object = {}) =>
  Object.assign(new Error(`failed: ${code}`), { code, ...more });
const cause = (error: unknown) => new Error("query failed", { cause: error });

class AwayError extends Error {
  readonly dependencyDown = true;
}

describe("an error that no handler classified", () => {
  test.each<[string, unknown]>([
    ["PostgreSQL's connection failure", withCode("08006")],
    ["PostgreSQL's shutdown by an administrator", withCode("57P01")],
    ["PostgreSQL's crash of another session", withCode("57P02")],
    ["PostgreSQL that is still starting", withCode("57P03")],
    ["PostgreSQL without a free connection", withCode("53300")],
    ["a connection to PostgreSQL that broke", new Error("Connection terminated unexpectedly")],
    [
      "a connection to PostgreSQL that never was",
      new Error("Connection terminated due to connection timeout"),
    ],
    ["a pool that got no connection", new Error("timeout exceeded when trying to connect")],
    ["a refused connection", withCode("ECONNREFUSED")],
    ["a name nobody knows", withCode("ENOTFOUND")],
    ["a name server that is away", withCode("EAI_AGAIN")],
    ["a connection that was not made in time", withCode("ETIMEDOUT", { syscall: "connect" })],
    ["a refusal on every address", new AggregateError([withCode("ECONNREFUSED")])],
    ["a cause three errors down", cause(cause(cause(withCode("ECONNREFUSED"))))],
    ["an error that says so itself", new AwayError("object store away")],
    ["an error that says so itself, as a cause", cause(new AwayError("object store away"))],
  ])("is a dependency that is away: %s", (_title, error) => {
    expect(asJobError(error)).toMatchObject({
      name: "DependencyDownError",
      code: "dependency_unreachable",
    });
  });

  test.each<[string, unknown]>([
    ["a unique violation", withCode("23505")],
    ["a connection that broke after it was made", withCode("ECONNRESET")],
    ["an answer that did not come in time", withCode("ETIMEDOUT", { syscall: "read" })],
    ["a text that only sounds like it", new Error("connect ECONNREFUSED")],
    ["a marker that is not true", Object.assign(new Error("?"), { dependencyDown: "no" })],
    ["a bare object with such a code", { code: "ECONNREFUSED" }],
    ["an object without a prototype", Object.create(null)],
    ["a value whose text cannot be had", { toString: () => Symbol("no") }],
  ])("is the job's own trouble: %s", (_title, error) => {
    expect(asJobError(error)).toMatchObject({ name: "TransientError", code: "unexpected_error" });
  });

  test("ends even where causes go round in a circle", () => {
    const error = new Error("a");
    error.cause = new Error("b", { cause: error });
    expect(asJobError(error).code).toBe("unexpected_error");
  });
});

test("a handler that classified its error is believed, whatever caused it", () => {
  const own = new TransientError("busy", "x", { cause: withCode("ECONNREFUSED") });
  const dead = new PermanentError("gone", "x", { cause: withCode("ECONNREFUSED") });
  expect(asJobError(own)).toBe(own);
  expect(asJobError(dead)).toBe(dead);
});

test("a page of HTML as a message is not kept whole, nor is its copy in the stack", () => {
  const error = asJobError(new Error("x".repeat(1_000_000)));
  expect(error.message.length).toBeLessThan(5_000);
  expect(error.message).toMatch(/x… and 996000 characters more$/);
  expect(error.stack?.length).toBeLessThan(9_000);
});
