import type { Bench } from "./bench.ts";
import { accept } from "./benches/accept.ts";
import { acceptBulk } from "./benches/accept-bulk.ts";
import { outbound } from "./benches/outbound.ts";
import { pickup } from "./benches/pickup.ts";
import { syncCalls } from "./benches/sync-calls.ts";
import { worker } from "./benches/worker.ts";

/** Every bench, in the order of the README's table. */
export const catalogue: readonly Bench[] = [
  worker,
  pickup,
  accept,
  acceptBulk,
  outbound,
  syncCalls,
];
