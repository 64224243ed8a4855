import { MarketplaceKind } from "@ballast/contracts";
import {
  type KeyRing,
  type MarketplaceAccount,
  type Queryable,
  readAccess,
  UnsealError,
} from "@ballast/database";
import { DependencyDownError, PermanentError } from "@ballast/jobs";
import { AccessTokens } from "../adapters/access-token.ts";
import type { MarketplaceAdapter } from "../adapters/adapter.ts";
import { openAdapter } from "../adapters/open-adapter.ts";
import { sharedQuotaOf } from "../adapters/shared-quota.ts";
import { counted } from "../http/counted.ts";
import type { RemoteHttp } from "../http/remote-http.ts";
import type { GuardOf } from "./account-guards.ts";

export interface AccountsDeps {
  readonly db: Queryable;
  readonly keys: KeyRing;
  readonly http: RemoteHttp;
  /** The gate and the quota of one account. */
  readonly guardOf: GuardOf;
  /** Told what each call comes to. */
  readonly onCall?: (marketplace: string, status: string) => void;
}

/** Opens an account's adapter with its credentials, which are decrypted for this and kept nowhere, where it stands by now. */
export type OpenAccount = (account: MarketplaceAccount) => Promise<MarketplaceAdapter>;

export function openAccounts({
  db,
  keys,
  http,
  guardOf,
  onCall = () => {},
}: AccountsDeps): OpenAccount {
  const tokens = new AccessTokens();
  return async (account) => {
    const { id } = account;
    const kind = MarketplaceKind.safeParse(account.kind);
    if (!kind.success)
      throw new DependencyDownError(
        "newer_than_worker",
        `account ${id} is of kind ${account.kind}, which this release does not speak`,
      );
    const access = await readAccess(db, keys, id).catch((error: unknown) => {
      // Whoever rotates keys may have been too fast: nobody's attempt is spent on that.
      if (error instanceof UnsealError)
        throw new DependencyDownError("credentials_unreadable", error.message, { cause: error });
      throw error;
    });
    if (access === undefined) throw accountGone(id);
    return openAdapter({
      kind: kind.data,
      ...access,
      guard: guardOf(id, sharedQuotaOf(kind.data, access)),
      http: counted(http, (status) => onCall(kind.data, status)),
      tokens,
    });
  };
}

export const accountGone = (id: string): PermanentError =>
  new PermanentError("account_not_found", `there is no marketplace account ${id}`);
