/** When a browser has served long enough. */
export interface RecyclingLimits {
  /** Printed PDF pages. */
  readonly recycleAfterPages: number;
  /** Private memory of the browser's processes, in MiB. */
  readonly maxMemoryMb: number;
}

export interface BrowserUse {
  readonly pagesPrinted: number;
  /** `undefined` where the system does not tell. */
  readonly memoryMb: number | undefined;
}

export type RecyclingReason = "pages" | "memory";

/** Why this browser should be replaced once its prints are done, or `undefined` to keep it. */
export function recyclingReason(
  use: BrowserUse,
  limits: RecyclingLimits,
): RecyclingReason | undefined {
  if (use.pagesPrinted >= limits.recycleAfterPages) return "pages";
  if (use.memoryMb !== undefined && use.memoryMb > limits.maxMemoryMb) return "memory";
  return undefined;
}
