import { PermanentError, TransientError } from "@ballast/jobs";
import type { Excess } from "./memory-watch.ts";

/** The browser, or the page's renderer, died under a print. Which document is to blame is unknown. */
export class BrowserCrashedError extends TransientError {
  constructor(cause?: unknown) {
    super("browser_crashed", "the browser died while it printed", { cause });
  }
}

/** A document took longer than it may; its page was killed. */
export class PrintTimeoutError extends TransientError {
  constructor(timeoutMs: number) {
    super(
      "print_timeout",
      `the document was not printed within ${timeoutMs} ms; its page was killed`,
    );
  }
}

/** Documents printed together held more than the browser may; this one held most, but could be printed alone. */
class PrintMemorySharedError extends TransientError {
  constructor(limitMb: number, heldMb: number) {
    super(
      "print_memory_shared",
      `documents printed at one time took more than the ${limitMb} MiB the browser may hold; this one held ${Math.round(heldMb)} MiB and was stopped. Raise PDF_MAX_PRINT_MEMORY_MB, or lower PDF_CONCURRENCY`,
    );
  }
}

/** A document made the browser hold more memory than it may; its page was killed, and would be again. */
class PrintMemoryExceededError extends PermanentError {
  constructor(limitMb: number) {
    super(
      "print_memory_exceeded",
      `printing the document took more than the ${limitMb} MiB the browser may hold; its page was killed. Split the document, or raise PDF_MAX_PRINT_MEMORY_MB`,
    );
  }
}

/** Who held most of the limit alone would again; who did not may fit when it is printed beside others. */
export const memoryError = ({ renderer }: Excess, limitMb: number) =>
  renderer.privateMb > limitMb / 2
    ? new PrintMemoryExceededError(limitMb)
    : new PrintMemorySharedError(limitMb, renderer.privateMb);

/** The HTML or the PDF is larger than allowed, and would be again. */
export class DocumentTooLargeError extends PermanentError {
  constructor(what: "html" | "pdf", sizeBytes: number, maxBytes: number) {
    super(
      `${what}_too_large`,
      `the ${what === "html" ? "HTML" : "PDF"} has ${what === "pdf" ? "over " : ""}${sizeBytes} bytes; at most ${maxBytes} are allowed`,
    );
  }
}
