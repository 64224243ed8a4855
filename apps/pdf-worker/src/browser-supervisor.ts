import { DependencyDownError } from "@ballast/jobs";
import { BrowserGeneration, type GenerationOptions } from "./browser-generation.ts";
import { groupMemoryMb } from "./browser-memory.ts";
import type { Excess } from "./memory-watch.ts";
import { type RecyclingLimits, type RecyclingReason, recyclingReason } from "./recycling.ts";

export interface SupervisorOptions extends Omit<GenerationOptions, "onExcess">, RecyclingLimits {
  readonly log: SupervisorLog;
  readonly onReplaced: (reason: ReplacementReason) => void;
}

/** Why there is another browser now; `print-memory` after a print that ate too much. */
export type ReplacementReason = RecyclingReason | "crash" | "print-memory";

/** pino fits. */
export interface SupervisorLog {
  info(values: object, message: string): void;
  warn(values: object, message: string): void;
}

/** Adding up a browser's processes walks through `/proc`, so it is not done for every document. */
const MEMORY_CHECK_MS = 1_000;
const RELAUNCH_MS = 5_000;

/** Keeps one browser that takes prints, and lets replaced ones finish theirs. */
export class BrowserSupervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #alive = new Set<BrowserGeneration>();
  #current: BrowserGeneration | undefined;
  #launching: Promise<BrowserGeneration> | undefined;
  #pagesPrinted = 0;
  #memoryCheckedAt = 0;
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#current?.usable ?? false;
  }

  /**
   * The browser that takes prints, started if there is none.
   *
   * @throws {DependencyDownError} if it cannot be started, or after disposal
   */
  async browser(): Promise<BrowserGeneration> {
    if (this.#closed) throw new DependencyDownError("printer_closed", "the printer was closed");
    if (this.#current?.usable) return this.#current;
    this.#launching ??= this.#launch().finally(() => {
      this.#launching = undefined;
    });
    return await this.#launching;
  }

  /** Account for a print, and retire its browser if that was its last. */
  async printed(generation: BrowserGeneration, pageCount: number): Promise<void> {
    if (generation !== this.#current || generation.retired) return;
    this.#pagesPrinted += pageCount;
    const use = { pagesPrinted: this.#pagesPrinted, memoryMb: await this.#memoryMb(generation) };
    const reason = recyclingReason(use, this.#options);
    if (reason === undefined || generation.retired) return;
    this.#retire(generation, reason, use);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#launching?.catch(() => {}); // one that is just starting is ours to end, too
    await Promise.all([...this.#alive].map((generation) => generation[Symbol.asyncDispose]()));
  }

  async #launch(): Promise<BrowserGeneration> {
    const generation = await BrowserGeneration.launch({
      ...this.#options,
      onExcess: (excessive, excess) => this.#exceeded(excessive, excess),
    }).catch((cause: unknown) => {
      throw new DependencyDownError(
        "browser_unavailable",
        `the browser ${this.#options.executablePath} does not start: ${String(cause)}`,
        { cause, retryAfterMs: RELAUNCH_MS },
      );
    });
    this.#alive.add(generation);
    this.#current = generation;
    this.#pagesPrinted = 0;
    this.#memoryCheckedAt = performance.now();
    void generation.ended.then(() => this.#ended(generation));
    this.#options.log.info({ browserPid: generation.pid }, "browser started");
    return generation;
  }

  #exceeded(generation: BrowserGeneration, { memoryMb, renderer }: Excess): void {
    const { log, maxPrintMemoryMb } = this.#options;
    const browserPid = generation.pid;
    log.warn({ browserPid, memoryMb, maxPrintMemoryMb, renderer }, "a print is killed: memory");
    if (!generation.retired) this.#retire(generation, "print-memory", { memoryMb });
  }

  #retire(generation: BrowserGeneration, reason: ReplacementReason, use: object): void {
    generation.retire();
    this.#options.onReplaced(reason);
    this.#options.log.info({ reason, browserPid: generation.pid, ...use }, "browser retired");
    this.#startNext();
  }

  async #ended(generation: BrowserGeneration): Promise<void> {
    const crashed = !generation.retired;
    if (crashed) {
      this.#options.onReplaced("crash");
      this.#options.log.warn({ browserPid: generation.pid }, "browser died");
    }
    await generation[Symbol.asyncDispose]();
    this.#alive.delete(generation);
    if (crashed) this.#startNext();
  }

  /** Start a browser now rather than with the next print, so that readiness comes back by itself. */
  #startNext(): void {
    if (this.#closed) return;
    this.browser().catch((err: unknown) =>
      this.#options.log.warn({ err }, "browser not restarted; the next print tries again"),
    );
  }

  async #memoryMb(generation: BrowserGeneration): Promise<number | undefined> {
    const now = performance.now();
    if (now - this.#memoryCheckedAt < MEMORY_CHECK_MS) return undefined;
    this.#memoryCheckedAt = now;
    return await groupMemoryMb(generation.pid);
  }
}
