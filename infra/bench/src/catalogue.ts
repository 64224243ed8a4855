import type { Bench } from "./bench.ts";
import { accept } from "./benches/accept.ts";
import { acceptBulk } from "./benches/accept-bulk.ts";
import { endToEnd } from "./benches/end-to-end.ts";
import { mail } from "./benches/mail.ts";
import { memory } from "./benches/memory.ts";
import { outbound } from "./benches/outbound.ts";
import { pdf1 } from "./benches/pdf-1.ts";
import { pdf40 } from "./benches/pdf-40.ts";
import { pickup } from "./benches/pickup.ts";
import { recovery } from "./benches/recovery.ts";
import { scale } from "./benches/scale.ts";
import { syncCalls } from "./benches/sync-calls.ts";
import { worker } from "./benches/worker.ts";
import { workerTraced } from "./benches/worker-traced.ts";

/** Every bench, in the order of the README's table. */
export const catalogue: readonly Bench[] = [
  worker,
  workerTraced,
  pickup,
  accept,
  acceptBulk,
  endToEnd,
  pdf1,
  pdf40,
  mail,
  outbound,
  syncCalls,
  recovery,
  memory,
  scale,
];
