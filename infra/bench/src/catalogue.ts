import type { Bench } from "./bench.ts";
import { syncCalls } from "./benches/sync-calls.ts";
import { worker } from "./benches/worker.ts";

/** Every bench, in the order of the README's table. */
export const catalogue: readonly Bench[] = [worker, syncCalls];
