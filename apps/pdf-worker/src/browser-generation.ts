import { setTimeout as delay } from "node:timers/promises";
import { type BrowserOptions, launchBrowser, type OwnBrowser } from "./browser.ts";
import { BrowserCrashedError } from "./print-errors.ts";
import {
  openPrintPage,
  type PrintPage,
  type PrintPageOptions,
  type PrintSettings,
} from "./print-page.ts";
import { untilAborted } from "./until-aborted.ts";

/** A page that was told to stop gets this long; then its whole browser goes. */
const PAGE_CLOSE_MS = 800;

export interface GenerationOptions extends BrowserOptions, PrintPageOptions {}

/** One browser, from its launch until its last print is done. */
export class BrowserGeneration implements AsyncDisposable {
  readonly #own: OwnBrowser;
  readonly #options: GenerationOptions;
  readonly #idle: PrintPage[] = [];
  readonly #died: Promise<never>;
  #printing = 0;
  #retired = false;

  static async launch(options: GenerationOptions): Promise<BrowserGeneration> {
    return new BrowserGeneration(await launchBrowser(options), options);
  }

  private constructor(own: OwnBrowser, options: GenerationOptions) {
    this.#own = own;
    this.#options = options;
    this.#died = own.ended.then(() => {
      throw new BrowserCrashedError();
    });
    this.#died.catch(() => {}); // whoever prints listens
  }

  get pid(): number {
    return this.#own.pid;
  }

  /** True once it was told to take no more prints. */
  get retired(): boolean {
    return this.#retired;
  }

  /** True while it lives and takes prints. */
  get usable(): boolean {
    return !this.#retired && this.#own.browser.connected;
  }

  /** Settles when the process has ended. */
  get ended(): Promise<void> {
    return this.#own.ended;
  }

  /**
   * Print one document. When `stop` aborts it rejects with the reason at once; `settled` tells when
   * the page is free again or gone, which takes at most {@link PAGE_CLOSE_MS} more.
   *
   * @throws {BrowserCrashedError} if the browser or the page's renderer died
   */
  print(
    html: string,
    settings: PrintSettings,
    stop: AbortSignal,
  ): { pdf: Promise<Uint8Array>; settled: Promise<void> } {
    this.#printing += 1;
    const page = this.#takePage();
    const pdf = untilAborted(
      Promise.race([page.then((opened) => this.#printOn(opened, html, settings)), this.#died]),
      stop,
    ).catch((error: unknown) => {
      // A broken pipe is noticed a moment before the end of the process is.
      throw stop.aborted || this.#own.browser.connected ? error : new BrowserCrashedError(error);
    });
    const settled = pdf
      .then(
        async () => this.#rest(await page),
        () => this.#discard(page),
      )
      .then(() => this.#printEnded());
    return { pdf, settled };
  }

  /** Take no more prints; close when the last one has ended. */
  retire(): void {
    this.#retired = true;
    if (this.#printing === 0) void this.#own.close();
  }

  /** End it now, with whatever it prints. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#retired = true;
    if (this.#printing > 0) this.#own.kill();
    await this.#own.close();
  }

  async #takePage(): Promise<PrintPage> {
    return this.#idle.pop() ?? (await openPrintPage(this.#own.browser, this.#options));
  }

  async #printOn(page: PrintPage, html: string, settings: PrintSettings): Promise<Uint8Array> {
    const crashed = page.crashed.catch((cause: unknown) => {
      throw new BrowserCrashedError(cause);
    });
    return await Promise.race([page.print(html, settings), crashed]);
  }

  async #rest(page: PrintPage): Promise<void> {
    try {
      await page.reset();
      this.#idle.push(page);
    } catch {
      await this.#discard(Promise.resolve(page));
    }
  }

  async #discard(page: Promise<PrintPage>): Promise<void> {
    const closed = page.then((opened) => opened.close()).then(() => true);
    const late = new AbortController();
    const gone = await Promise.race([
      closed.catch(() => false),
      delay(PAGE_CLOSE_MS, false, { signal: late.signal }).catch(() => false),
    ]);
    late.abort();
    if (gone) return;
    this.#own.kill();
    await this.#own.ended; // until then it would still take the next print
  }

  #printEnded(): void {
    this.#printing -= 1;
    if (this.#retired && this.#printing === 0) void this.#own.close();
  }
}
