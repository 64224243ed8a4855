export { type ApiClient, apiClient } from "./api-client.ts";
export { dataDirFrom, root } from "./checkout.ts";
export { type OwnProcess, startOwnProcess } from "./child-process.ts";
export { ensureChromium } from "./chromium.ts";
export { type EngineKind, findRedis } from "./engine.ts";
export { freePort } from "./free-port.ts";
export { endChildrenAtOnce, endLeftovers } from "./leftovers.ts";
export { type PrivatePostgres, startPostgres } from "./postgres.ts";
export { type PrivateRedis, startRedis } from "./redis.ts";
export {
  lastLines,
  type ServiceProcess,
  startServiceProcess,
  untilReady,
} from "./service-process.ts";
export { listenForStop } from "./stop-signals.ts";
