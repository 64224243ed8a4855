import type { RemoteGuard } from "@ballast/jobs";

/** Lets every call through: the adapters' own errors are what postpones a job. */
export const unguarded: RemoteGuard = {
  async call({ signal }, call) {
    signal.throwIfAborted();
    return (await call()).value;
  },
};
