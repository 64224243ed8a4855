import {
  gateLog,
  type Log,
  openRemoteGuard,
  type RemoteGuard,
  type RemoteStore,
  type SharedQuota,
  type Tracer,
} from "@ballast/jobs";

/** The guard of one account, whose calls count against its application's quota too, if it has one. */
export type GuardOf = (accountId: string, app?: SharedQuota) => RemoteGuard;

/**
 * The guard of each account: its gate and its quota, which all processes share. One for each account and
 * process, since it holds what it took from the quota for the next calls.
 */
export function accountGuards(store: RemoteStore, log: Log, tracer?: Tracer): GuardOf {
  const guards = new Map<string, { readonly guard: RemoteGuard; readonly app: string }>();
  const observer = gateLog(log);
  return (accountId, app) => {
    const known = guards.get(accountId);
    const shared = JSON.stringify(app ?? null);
    if (known?.app === shared) return known.guard;
    const remote = { kind: "marketplace", key: accountId } as const;
    const guard = openRemoteGuard({
      store,
      remote,
      observer,
      tracer,
      ...(app === undefined ? {} : { app }),
    });
    guards.set(accountId, { guard, app: shared });
    return guard;
  };
}
