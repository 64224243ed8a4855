import type { Log } from "../telemetry.ts";
import type { EngineMemory } from "./engine.ts";

const EVERY_MS = 1_000;
/** Without a complaint it is looked at this often, in rounds. */
const LOOK_EVERY_ROUNDS = 5;
/** Below the share at which the API refuses new work, or what is completed would keep it refusing. */
const TIGHT_SHARE = 0.6;

interface Store {
  memory(): Promise<EngineMemory | null>;
  makeRoom(): Promise<void>;
}

/**
 * Makes room once a second while the engine refuses commands for want of it, or is getting there: one that
 * is full lets no job begin, so that nothing would ever leave it.
 */
export class Relief implements Disposable {
  readonly #store: Store;
  readonly #log: Log;
  readonly #timer: NodeJS.Timeout;
  #complained = false;
  #isTight = false;
  #rounds = 0;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
    this.#timer = setInterval(() => void this.#round(), EVERY_MS).unref();
  }

  /** The engine refused a command for want of room. */
  complain(): void {
    if (!this.#complained && !this.#isTight)
      this.#log.warn({}, "the queue engine is full; old events and completed jobs are removed");
    this.#complained = true;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #round(): Promise<void> {
    const isLook = this.#rounds++ % LOOK_EVERY_ROUNDS === 0;
    if (!this.#complained && !this.#isTight && !isLook) return;
    this.#complained = false;
    try {
      const memory = await this.#store.memory();
      this.#isTight = memory !== null && memory.usedBytes > TIGHT_SHARE * memory.maxBytes;
      if (this.#isTight) await this.#store.makeRoom();
    } catch (error) {
      this.#log.debug({ err: error }, "no room made; will retry");
    }
  }
}
