import type { Job, Queue, Worker, WorkerOptions } from "bullmq";
import type { Engine, EngineJobState, EngineMemory, JammedJob } from "./engine.ts";

export interface FailedEntry {
  readonly id: string;
  /** As the producer set it. */
  readonly createdMs: number;
  readonly finishedMs: number;
  /** This runtime added it. */
  readonly isOurs: boolean;
}

/** What comes next in a queue: in milliseconds since 1970, `null` where nothing does. */
export interface QueueHeads {
  readonly headSinceMs: number | null;
  readonly nextDueMs: number | null;
}

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
  /** Ids and times of failed jobs, what failed first comes first; `offset` counts from 0. */
  failed(queue: string, offset: number, limit: number): Promise<readonly FailedEntry[]>;
  /** Of a job that is gone it says anything. */
  stateOf(queue: string, id: string): Promise<EngineJobState["state"]>;
  heads(queue: string): Promise<QueueHeads>;
  readEpoch(): Promise<string | null>;
  writeEpoch(epoch: string): Promise<void>;
  memory(): Promise<EngineMemory | null>;
  /** @throws {UnfitEngineError} */
  assertFit(): Promise<void>;
  jammed(queue: string): Promise<readonly JammedJob[]>;
  removeJammed(queue: string, engineJobId: string): Promise<void>;
  /** Whether an error says that the store refuses to take more. */
  isFull(error: Error): boolean;
  /** Remove what a queue can do without. */
  makeRoom(queue: string): Promise<void>;
  close(): Promise<void>;
}
