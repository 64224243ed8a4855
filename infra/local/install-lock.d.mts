/** When a process began, in clock ticks since boot; "" where there is no /proc; undefined if it is gone. */
export function startOf(pid: number): string | undefined;

export function withLock<T>(
  file: string,
  work: (shareWith: (pid: number) => void) => Promise<T> | T,
  onWait?: (pid: number) => void,
): Promise<T>;
