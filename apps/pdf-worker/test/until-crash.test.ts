import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { until } from "@ballast/testing";
import { expect, test } from "vitest";
import { BrowserCrashedError, DocumentTooLargeError } from "../src/print-errors.ts";
import { untilCrash } from "../src/until-crash.ts";

const failed = new Error("Protocol error (Page.printToPDF): Printing failed");

test("a command that fails before its page's death is told is blamed on the death", async () => {
  const death = new AbortController();
  const printed = untilCrash(Promise.reject(failed), death.signal, 60_000);
  void setImmediate().then(() => death.abort(new BrowserCrashedError()));
  await expect(printed).rejects.toThrow(BrowserCrashedError);
});

test("a command that fails on a page that lives keeps its own error", async () => {
  const living = new AbortController().signal;
  await expect(untilCrash(Promise.reject(failed), living, 1)).rejects.toBe(failed);
});

test("a page that lives for long holds on to nothing that was printed on it", async () => {
  const living = new AbortController().signal;
  const collected = Promise.withResolvers<void>();
  const registry = new FinalizationRegistry(() => collected.resolve());
  await (async () => {
    const pdf = new Uint8Array(1);
    registry.register(pdf, undefined);
    await untilCrash(Promise.resolve(pdf), living);
  })();
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  await until(() => {
    collect();
    return Promise.race([collected.promise.then(() => true), setImmediate(false)]);
  });
  expect(living.aborted).toBe(false); // it is still there
});

test("a document that is too large says so at once", async () => {
  const living = new AbortController().signal;
  const large = new DocumentTooLargeError("pdf", 2, 1);
  await expect(untilCrash(Promise.reject(large), living, 60_000)).rejects.toBe(large);
});
