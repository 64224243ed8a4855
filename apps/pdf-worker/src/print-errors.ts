import { PermanentError, TransientError } from "@ballast/jobs";

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

/** A document made the browser hold more memory than it may; its page was killed, and would be again. */
export class PrintMemoryExceededError extends PermanentError {
  constructor(limitMb: number) {
    super(
      "print_memory_exceeded",
      `printing the document took more than the ${limitMb} MiB the browser may hold; its page was killed. Split the document, or raise PDF_MAX_PRINT_MEMORY_MB`,
    );
  }
}

/** The HTML or the PDF is larger than allowed, and would be again. */
export class DocumentTooLargeError extends PermanentError {
  constructor(what: "html" | "pdf", sizeBytes: number, maxBytes: number) {
    super(
      `${what}_too_large`,
      `the ${what === "html" ? "HTML" : "PDF"} has ${what === "pdf" ? "over " : ""}${sizeBytes} bytes; at most ${maxBytes} are allowed`,
    );
  }
}
