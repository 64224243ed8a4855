export { type EmptyDatabase, openEmptyDatabase } from "./empty-database.ts";
export {
  type HttpBehaviour,
  type HttpRecorder,
  type RecordedRequest,
  startHttpRecorder,
} from "./http-recorder.ts";
export { msBetween } from "./log-clock.ts";
export type { CallCounts } from "./marketplaces/counts.ts";
export {
  type MarketplaceDouble,
  type MarketplaceDoubleOptions,
  startMarketplaceDouble,
} from "./marketplaces/double.ts";
export { type MarketplaceMode, marketplaceModes } from "./marketplaces/modes.ts";
export { openProxy, type Proxy } from "./proxy.ts";
export {
  describeEachEngine,
  describeOnRedis,
  type EngineUnderTest,
  type OpenEngine,
  postgresEngine,
  type QueueEngineKind,
  queueEngines,
} from "./queue-engines.ts";
export { type RedisProcess, startRedisProcess } from "./redis-process.ts";
export {
  type ClusterOfRedis,
  type RedisTopology,
  type Sentinels,
  startCluster,
  startRedisWithUsers,
  startSentinels,
  startTlsRedis,
} from "./redis-topologies.ts";
export {
  type SeededInvoice,
  sampleCompany,
  sampleCustomer,
  sampleDraft,
  sampleLine,
  seedIssuedInvoice,
} from "./samples.ts";
export {
  type ReceivedMail,
  type SmtpBehaviour,
  type SmtpServerDouble,
  type SmtpServerOptions,
  startSmtpServer,
} from "./smtp-server.ts";
export { createTestDatabase, type TestDatabase } from "./test-database.ts";
export { type BucketAnswer, tokenBucket } from "./token-bucket.ts";
export {
  type CollectedSpan,
  startTraceCollector,
  type TraceCollector,
} from "./trace-collector.ts";
export { type UntilOptions, until } from "./until.ts";
