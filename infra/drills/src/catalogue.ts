import type { Drill } from "./drill.ts";
import { doubleClick } from "./drills/double-click.ts";
import { engineDown } from "./drills/engine-down.ts";
import { engineKilled } from "./drills/engine-killed.ts";
import { workerKilled } from "./drills/worker-killed.ts";

/** Every drill, in the order they run; a new one is one more line. */
export const catalogue: readonly Drill[] = [engineDown, engineKilled, workerKilled, doubleClick];
