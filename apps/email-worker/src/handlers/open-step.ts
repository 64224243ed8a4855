import type { Lease } from "@ballast/jobs";

/** An irreversible step that begins in the middle of a call, at the moment its effect does. */
export interface OpenStep extends Disposable {
  /**
   * From here on shutdown and cancellation wait until this is disposed.
   *
   * @throws if the attempt was told to stop
   */
  begin(): void;
}

/** Prepare a step; disposing it ends it, whether it has begun or not. */
export function openStep(lease: Lease): OpenStep {
  const ended = Promise.withResolvers<void>();
  return {
    begin() {
      lease.check();
      lease.step(() => ended.promise).catch(() => {}); // told to stop: whoever acts under it hears that
    },
    [Symbol.dispose]: () => ended.resolve(),
  };
}
