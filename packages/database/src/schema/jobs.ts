import type { Generated } from "kysely";
import type { Json, Timestamp } from "./columns.ts";

interface JobRunRow {
  id: string;
  queue: string;
  engineJobId: string;
  job: string;
  version: number;
  payload: Json<Record<string, unknown>>;
  companyId: string | null;
  subject: string | null;
  slot: string | null;
  state: Generated<"waiting" | "started" | "completed" | "dead" | "cancelled">;
  priority: number;
  dueAt: Date | null;
  deadlineAt: Date;
  heldFor: string | null;
  generation: Generated<number>;
  replayOf: string | null;
  origin: Generated<"request" | "external" | "replay">;
  createdAt: Timestamp;
  claimedUntil: Date | null;
  handedAt: Date | null;
  touchedAt: Date | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  attemptsMade: Generated<number>;
  runningAttemptId: string | null;
  runningSince: Date | null;
  runningOn: string | null;
  nextAttemptAt: Date | null;
  waitCode: string | null;
  waitMessage: string | null;
  progress: Json<unknown> | null;
  result: Json<unknown> | null;
  errorCode: string | null;
  errorMessage: string | null;
  cancelRequestedAt: Date | null;
  changeNo: Generated<bigint>;
  suspectSince: Date | null;
  runningAlone: Generated<boolean>;
  crashesAlone: Generated<number>;
  /** What the engine was told. */
  enginePriority: number | null;
  /** The engine's count when the attempt that runs began. */
  runningStalls: number | null;
}

interface JobRequestRow {
  id: string;
  runId: string;
  requestedBy: string | null;
  traceparent: string | null;
  joined: boolean;
  createdAt: Timestamp;
  cancelledAt: Date | null;
}

interface JobAttemptRow {
  id: string;
  runId: string;
  startedAt: Date | null;
  endedAt: Date;
  outcome: string;
  code: string | null;
  message: string | null;
  stack: string | null;
  nextAttemptAt: Date | null;
  worker: string | null;
}

/** What was asked for, what ran, and where the copying stands. */
export interface JobTables {
  jobRuns: JobRunRow;
  jobRequests: JobRequestRow;
  jobAttempts: JobAttemptRow;
  jobRunsHistory: JobRunRow;
  jobRequestsHistory: JobRequestRow & {
    finishedAt: Date;
    queue: string;
    state: "completed" | "dead" | "cancelled";
    companyId: string | null;
    subject: string | null;
  };
  jobAttemptsHistory: JobAttemptRow & { finishedAt: Date };
  /** Views of what lives and what moved to history. */
  allJobRuns: JobRunRow;
  allJobRequests: JobRequestRow;
  allJobAttempts: JobAttemptRow;
  marks: { name: string; value: string; writtenAt: Timestamp };
  queueStates: {
    queue: string;
    paused: boolean;
    reason: string;
    changedBy: string;
    changedAt: Timestamp;
    engineToldAt: Date | null;
  };
}
