/** What the job runtime asks of a store of remotes; the same words as its own port, which this fills. */
export interface Remote {
  readonly kind: "marketplace" | "smtp" | "storage" | "channel";
  readonly key: string;
}

export interface Gate {
  readonly state: "open" | "closed" | "ramping";
  readonly failures: number;
  readonly probes: number;
  readonly successes: number;
  readonly closedAt: Date | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly nextProbeAt: Date | null;
  readonly opensAt: Date | null;
}

export interface Bucket {
  readonly capacity: number | null;
  readonly restorePerSecond: number | null;
  readonly tokens: number;
  readonly tokensAt: Date;
  readonly blockedUntil: Date | null;
  readonly resetsAt: Date | null;
}

export interface RemoteState {
  readonly gate: Gate;
  readonly bucket: Bucket;
}

export interface RemoteStore {
  read(remote: Remote): Promise<RemoteState & { readonly now: Date }>;
  change<T>(
    remote: Remote,
    change: (
      state: RemoteState,
      now: Date,
    ) => { readonly state?: Partial<RemoteState>; readonly answer: T },
  ): Promise<T>;
}
