export { healEnd } from "./copied-end.ts";
export { type Dispatcher, startDispatcher } from "./dispatcher.ts";
export type {
  Engine,
  EngineJobState,
  EngineMemory,
  PendingJob,
  QueueCensus,
  QueueState,
} from "./engine/engine.ts";
export { openEngine } from "./engine/open-engine.ts";
export { prepareEngine } from "./engine/postgres.ts";
export {
  DependencyDownError,
  JobError,
  PermanentError,
  RateLimitedError,
  TransientError,
} from "./errors.ts";
export { type FailedSweepOptions, type Swept, sweepFailed } from "./failed-sweep.ts";
export { type Attempt, type Handler, handle } from "./handler.ts";
export { judgeQueues } from "./judge-waiting.ts";
export type { Lease } from "./lease.ts";
export { reconcile, startReconciler } from "./reconciler.ts";
export { quotaLeft } from "./remote/bucket.ts";
export { CERTIFICATE_REFUSED, isCertificateCode } from "./remote/certificates.ts";
export { AUTH_FAILED, type Gate } from "./remote/gate.ts";
export { gateLog } from "./remote/gate-log.ts";
export { type RemoteCall, type RemoteGuard, throughGuard } from "./remote/guard.ts";
export {
  openRemoteGuard,
  type RemoteObserver,
  type SharedQuota,
  type Verdict,
  verdictOf,
} from "./remote/open-guard.ts";
export type { Remote, RemoteStore } from "./remote/store.ts";
export { LONGEST_WAIT_MS, type Throttle, throttleFromHeaders } from "./remote/throttle.ts";
export { createRequests, type Requests, type SimpleWish, slotKey, type Wish } from "./requests.ts";
export { type Rounds, startRounds } from "./rounds.ts";
export type { Reconciled } from "./silent-runs.ts";
export type { RunStore } from "./store.ts";
export type { Log, RuntimeTelemetry } from "./telemetry.ts";
export { type Tracer, traced } from "./tracing.ts";
export { type Fitness, UnfitEngineError, watchFitness } from "./unfit.ts";
export { runWorker, startWorker, type WorkerOptions } from "./worker.ts";
