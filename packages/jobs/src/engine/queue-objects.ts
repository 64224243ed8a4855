import type { Queue } from "bullmq";

/**
 * BullMQ's queue objects, one for each queue that was asked for.
 *
 * One that is made while PostgreSQL is away refuses for ever, so one that never answered is made anew;
 * one that did recovers by itself. Each leaves a listener on its pool, so ask the engine whether it is
 * there before the first use: an outage then makes none at all.
 */
export class QueueObjects {
  readonly #make: (name: string) => Queue;
  readonly #queues = new Map<string, Queue>();
  readonly #proven = new WeakSet<Queue>();

  constructor(make: (name: string) => Queue) {
    this.#make = make;
  }

  has(name: string): boolean {
    return this.#queues.has(name);
  }

  async use<T>(name: string, ask: (queue: Queue) => Promise<T>): Promise<T> {
    const queue = this.#queues.get(name) ?? this.#make(name);
    this.#queues.set(name, queue);
    try {
      const answer = await ask(queue);
      this.#proven.add(queue);
      return answer;
    } catch (error) {
      if (!this.#proven.has(queue) && this.#queues.get(name) === queue) this.#queues.delete(name);
      throw error;
    }
  }

  [Symbol.iterator](): Iterator<Queue> {
    return this.#queues.values();
  }
}
