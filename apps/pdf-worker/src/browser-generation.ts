import { setTimeout as delay } from "node:timers/promises";
import { type BrowserOptions, launchBrowser, type OwnBrowser } from "./browser.ts";
import { type Excess, MemoryWatch } from "./memory-watch.ts";
import { BrowserCrashedError, memoryError } from "./print-errors.ts";
import {
  openPrintPage,
  type PrintPage,
  type PrintPageOptions,
  type PrintSettings,
} from "./print-page.ts";
import { untilAborted } from "./until-aborted.ts";
import { untilCrash } from "./until-crash.ts";

/** A page that was told to stop gets this long; then its whole browser goes. */
const PAGE_CLOSE_MS = 800;

export interface GenerationOptions extends BrowserOptions, PrintPageOptions {
  /** Private memory of the browser, in MiB, above which a print that takes long is killed. */
  readonly maxPrintMemoryMb: number;
  readonly onExcess: (generation: BrowserGeneration, excess: Excess) => void;
}

/** One browser, from its launch until its last print is done. */
export class BrowserGeneration implements AsyncDisposable {
  readonly #own: OwnBrowser;
  readonly #options: GenerationOptions;
  readonly #idle: PrintPage[] = [];
  /** A signal, since a promise that lives as long would hold on to each document that was printed beside it. */
  readonly #died = new AbortController();
  readonly #watch: MemoryWatch;
  #printing = 0;
  /** From the moment the watch kills a renderer until its page is known. */
  #excess: Excess | undefined;
  readonly #killedForMemory = new WeakMap<PrintPage, Excess>();
  #retired = false;

  static async launch(options: GenerationOptions): Promise<BrowserGeneration> {
    return new BrowserGeneration(await launchBrowser(options), options);
  }

  private constructor(own: OwnBrowser, options: GenerationOptions) {
    this.#own = own;
    this.#options = options;
    this.#watch = new MemoryWatch({
      group: own.pid,
      limitMb: options.maxPrintMemoryMb,
      onExcess: (excess) => {
        this.#excess = excess;
        options.onExcess(this, excess);
      },
    });
    void own.ended.then(() => this.#died.abort(new BrowserCrashedError()));
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
   * @throws {PrintMemoryExceededError} if its renderer was killed for what it held
   * @throws {PrintMemorySharedError} if it was killed for what all prints held together
   */
  print(
    html: string,
    settings: PrintSettings,
    stop: AbortSignal,
  ): { pdf: Promise<Uint8Array>; settled: Promise<void> } {
    this.#printing += 1;
    const watched = this.#watch.begin();
    const page = this.#takePage();
    const printed = page.then((opened) => this.#printOn(opened, html, settings));
    const pdf = untilAborted(untilAborted(printed, this.#died.signal), stop).catch(
      (error: unknown) => {
        // A broken pipe is noticed a moment before the end of the process is.
        throw stop.aborted || this.#own.browser.connected ? error : new BrowserCrashedError(error);
      },
    );
    pdf.then(watched, watched);
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
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const page = await openPrintPage(this.#own.browser, this.#options);
    page.crashed.addEventListener("abort", () => this.#pageCrashed(page), { once: true });
    return page;
  }

  /** Of two crashes the first after the kill is the one meant; a page at rest may be it, too. */
  #pageCrashed(page: PrintPage): void {
    if (this.#excess) this.#killedForMemory.set(page, this.#excess);
    this.#excess = undefined;
  }

  async #printOn(page: PrintPage, html: string, settings: PrintSettings): Promise<Uint8Array> {
    try {
      return await untilCrash(page.print(html, settings), page.crashed);
    } catch (error) {
      if (!page.crashed.aborted || error !== page.crashed.reason) throw error;
      const excess = this.#killedForMemory.get(page);
      throw excess
        ? memoryError(excess, this.#options.maxPrintMemoryMb)
        : new BrowserCrashedError(error);
    }
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
