import {
  gateLog,
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
  const observer = gateLog(log);
  return (accountId) => {
    const known = guards.get(accountId);
    if (known !== undefined) return known;
    const remote = { kind: "marketplace", key: accountId } as const;
    const guard = openRemoteGuard({ store, remote, observer });
    guards.set(accountId, guard);
    return guard;
  };
}
