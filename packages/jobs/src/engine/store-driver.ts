import type { Job, Queue, Worker, WorkerOptions } from "bullmq";
import type { Engine, EngineMemory } from "./engine.ts";

/** What differs between the stores that BullMQ runs on. */
export interface Store {
  readonly kind: Engine["kind"];
  queue(name: string): Queue;
  worker(
    name: string,
    processor: (job: Job, token?: string) => Promise<unknown>,
    options: Omit<WorkerOptions, "connection">,
  ): Worker;
  /** Resolves once the first connection was made or refused; called before every use. */
  ready(): Promise<void>;
  ping(): Promise<void>;
  readEpoch(): Promise<string | null>;
  writeEpoch(epoch: string): Promise<void>;
  memory(): Promise<EngineMemory | null>;
  close(): Promise<void>;
  /** False where retention while finishing jobs would make finished work run again. */
  readonly retainsWhileFinishing: boolean;
}
