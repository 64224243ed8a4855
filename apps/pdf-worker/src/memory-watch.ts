import {
  type BrowserProcess,
  fattestRenderer,
  groupProcesses,
  memoryMbOf,
} from "./browser-memory.ts";

/** Short prints are over before they can eat much, and a walk through `/proc` is not free. */
const LONG_PRINT_MS = 1_000;
const LOOK_EVERY_MS = 500;

/** What a browser held when one of its renderers had to go. */
export interface Excess {
  readonly memoryMb: number;
  readonly renderer: BrowserProcess;
}

export interface MemoryWatchOptions {
  /** Process group of the browser. */
  readonly group: number;
  /** Private memory of all its processes, in MiB. */
  readonly limitMb: number;
  /** Told before the renderer is killed, so that whoever hears of the crash knows its cause. */
  readonly onExcess: (excess: Excess) => void;
}

/**
 * Looks at a browser's memory while a print of it takes long, and kills the fattest renderer of one
 * that holds too much: better one document than the browser with all of them, or its machine.
 */
export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  #longPrints = 0;
  #killed: number | undefined;
  #next: NodeJS.Timeout | undefined;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
  }

  /** A print begins; call what this returns when it has ended. */
  begin(): () => void {
    let isLong = false;
    const long = setTimeout(() => {
      isLong = true;
      this.#longPrints += 1;
      if (this.#longPrints === 1) void this.#look();
    }, LONG_PRINT_MS);
    return () => {
      clearTimeout(long);
      if (!isLong) return;
      this.#longPrints -= 1;
      if (this.#longPrints === 0) clearTimeout(this.#next);
    };
  }

  async #look(): Promise<void> {
    clearTimeout(this.#next);
    await this.#relieve();
    if (this.#longPrints > 0) this.#next = setTimeout(() => void this.#look(), LOOK_EVERY_MS);
  }

  async #relieve(): Promise<void> {
    const { group, limitMb, onExcess } = this.#options;
    const excess = excessOf(await groupProcesses(group), limitMb, this.#killed);
    if (excess === undefined || this.#longPrints === 0) return;
    this.#killed = excess.renderer.pid;
    onExcess(excess);
    try {
      process.kill(excess.renderer.pid, "SIGKILL");
    } catch {
      // ended by itself meanwhile
    }
  }
}

/**
 * What a browser of these processes holds too much, and the renderer that has to go for it; `undefined`
 * while it is within its limit, and while the one `killed` before still holds memory: giving it back
 * takes a busy machine a while, and the next fattest is innocent.
 */
export function excessOf(
  processes: readonly BrowserProcess[],
  limitMb: number,
  killed: number | undefined,
): Excess | undefined {
  const memoryMb = memoryMbOf(processes);
  if (memoryMb <= limitMb) return undefined;
  if (processes.some(({ pid, privateMb }) => pid === killed && privateMb > 0)) return undefined;
  const renderer = fattestRenderer(processes);
  return renderer && { memoryMb, renderer };
}
