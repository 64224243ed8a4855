import type { Bucket } from "./bucket.ts";
import type { Gate } from "./gate.ts";

/** Something that other people run: a marketplace account, a mail server, a storage, an alert channel. */
export interface Remote {
  readonly kind: "marketplace" | "smtp" | "storage" | "channel";
  /** The account's id, the server's host, the channel's name. */
  readonly key: string;
}

export interface RemoteState {
  readonly gate: Gate;
  readonly bucket: Bucket;
}

/** Where the state of remotes is kept, for all processes. A remote that nobody wrote about is open. */
export interface RemoteStore {
  /** With the store's own clock, which all processes go by. */
  read(remote: Remote): Promise<RemoteState & { readonly now: Date }>;
  /**
   * Change a remote's state at once: nobody else changes it meanwhile.
   *
   * @param change what is to be kept, if anything, and what to answer
   */
  change<T>(
    remote: Remote,
    change: (
      state: RemoteState,
      now: Date,
    ) => { readonly state?: Partial<RemoteState>; readonly answer: T },
  ): Promise<T>;
}
