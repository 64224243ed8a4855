export { alertTour } from "./alert-tour.ts";
export { type ApiClient, apiClient } from "./api-client.ts";
export { dataDirFrom, root } from "./checkout.ts";
export { type OwnProcess, startOwnProcess } from "./child-process.ts";
export { ensureChromium } from "./chromium.ts";
export { type EngineKind, findOnPath, findRedis } from "./engine.ts";
export { freePort } from "./free-port.ts";
export { endChildrenAtOnce, endLeftovers } from "./leftovers.ts";
export { startMailCatcher } from "./mail-catcher.ts";
export { startMarketplace } from "./marketplace.ts";
export { marketplaceKeys } from "./marketplace-keys.ts";
export { operatorKey } from "./operator-key.ts";
export { type PrivatePostgres, startPostgres } from "./postgres.ts";
export { type PrivateRedis, startRedis } from "./redis.ts";
export { openScratch } from "./scratch.ts";
export { seed } from "./seed.ts";
export {
  lastLines,
  type ServiceProcess,
  type ServiceSpec,
  startServiceProcess,
  untilReady,
} from "./service-process.ts";
export { stockTour } from "./stock-tour.ts";
export { listenForStop } from "./stop-signals.ts";
export { tour } from "./tour.ts";
