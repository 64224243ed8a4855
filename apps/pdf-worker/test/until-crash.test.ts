import { expect, test } from "vitest";
import { BrowserCrashedError, DocumentTooLargeError } from "../src/print-errors.ts";
import { untilCrash } from "../src/until-crash.ts";

const failed = new Error("Protocol error (Page.printToPDF): Printing failed");

test("a command that fails before its page's death is told is blamed on the death", async () => {
  const death = Promise.withResolvers<never>();
  const printed = untilCrash(Promise.reject(failed), death.promise, 60_000);
  setImmediate(() => death.reject(new BrowserCrashedError()));
  await expect(printed).rejects.toThrow(BrowserCrashedError);
});

test("a command that fails on a page that lives keeps its own error", async () => {
  const living = new Promise<never>(() => {});
  await expect(untilCrash(Promise.reject(failed), living, 1)).rejects.toBe(failed);
});

test("a document that is too large says so at once", async () => {
  const living = new Promise<never>(() => {});
  const large = new DocumentTooLargeError("pdf", 2, 1);
  await expect(untilCrash(Promise.reject(large), living, 60_000)).rejects.toBe(large);
});
