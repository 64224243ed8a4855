import {
  AUTH_FAILED,
  type Log,
  openRemoteGuard,
  type RemoteGuard,
  type RemoteStore,
} from "@ballast/jobs";

/**
 * The guard of each account: its gate and its quota, which all processes share. One for each account and
 * process, since it holds what it took from the quota for the next calls.
 */
export function accountGuards(store: RemoteStore, log: Log): (accountId: string) => RemoteGuard {
  const guards = new Map<string, RemoteGuard>();
  return (accountId) => {
    const known = guards.get(accountId);
    if (known !== undefined) return known;
    const guard = openRemoteGuard({
      store,
      remote: { kind: "marketplace", key: accountId },
      observer: {
        gate(_remote, { state, code, message }) {
          const level = code === AUTH_FAILED ? "error" : state === "closed" ? "warn" : "info";
          log[level]({ accountId, state, code, reason: message }, "gate of an account moved");
        },
      },
    });
    guards.set(accountId, guard);
    return guard;
  };
}
