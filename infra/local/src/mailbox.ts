import { EventEmitter } from "node:events";
import type { ParsedMail } from "mailparser";

/** A mail as it came in. */
export interface CaughtMail {
  /** Counts from 1 within one run. */
  readonly id: number;
  readonly receivedAt: Date;
  /** Where the envelope sent it; a header may say otherwise. */
  readonly envelopeTo: readonly string[];
  readonly envelopeFrom: string;
  readonly source: Buffer;
  readonly parsed: ParsedMail;
}

/** Mails in memory: the newest stay, up to a count and a size. */
export class Mailbox {
  readonly #mails: CaughtMail[] = [];
  readonly #events = new EventEmitter<{ mail: [CaughtMail] }>();
  readonly #limits: { readonly count: number; readonly bytes: number };
  #bytes = 0;
  #lastId = 0;

  constructor(limits = { count: 500, bytes: 256 * 1024 * 1024 }) {
    this.#limits = limits;
  }

  add(mail: Omit<CaughtMail, "id" | "receivedAt">): CaughtMail {
    const caught: CaughtMail = { ...mail, id: ++this.#lastId, receivedAt: new Date() };
    this.#mails.push(caught);
    this.#bytes += caught.source.byteLength;
    while (this.#mails.length > this.#limits.count || this.#bytes > this.#limits.bytes) {
      this.#bytes -= this.#mails.shift()?.source.byteLength ?? 0;
    }
    this.#events.emit("mail", caught);
    return caught;
  }

  /** Newest first. */
  list(): readonly CaughtMail[] {
    return this.#mails.toReversed();
  }

  find(id: number): CaughtMail | undefined {
    return this.#mails.find((mail) => mail.id === id);
  }

  /** The first mail that fits, now or later; rejects when `signal` aborts. */
  waitFor(fits: (mail: CaughtMail) => boolean, signal: AbortSignal): Promise<CaughtMail> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#events.off("mail", look);
        signal.removeEventListener("abort", give);
      };
      const look = (mail: CaughtMail) => {
        if (!fits(mail)) return;
        settle();
        resolve(mail);
      };
      const give = () => {
        settle();
        reject(signal.reason);
      };
      if (signal.aborted) return give();
      signal.addEventListener("abort", give);
      this.#events.on("mail", look);
      const there = this.#mails.find(fits);
      if (there) look(there);
    });
  }
}
