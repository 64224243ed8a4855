import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What is on the heap after all that nobody holds was let go of. */
export function usedHeapBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}
