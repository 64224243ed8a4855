import { type ApiKey, type CompanyScope, groupCommit } from "@ballast/database";
import { Problem } from "./problem.ts";
import { sharedLookup } from "./shared-lookup.ts";

/** Who is asking, as proven by an API key. */
export type Caller = ApiKey;
export type Scope = Caller["scopes"][number];

/** Whose `Authorization` this is. @throws {Problem} `unauthorized` */
export type Authenticate = (header: string | undefined) => Promise<Caller>;

/** For so long a key may still be used that was revoked. */
const KNOWN_FOR_MS = 1_000;

/** Keys that are looked up by one statement, whose callers they are in their order. */
type FindKeys = (keys: readonly string[]) => Promise<readonly (Caller | undefined)[]>;

/** Of the pool's connections, so many at most serve to look up keys. */
const LOOKS_UNDER_WAY = 2;

/**
 * Calls of one key share a look at the database each second, and keys that come while others are looked up share
 * the next one: whoever makes up thousands of keys takes no connection from those who have one. Nobody is refused
 * for what came from their address: behind a proxy or in one office, it is that of many.
 */
export function authentication(findKeys: FindKeys): Authenticate {
  const look = groupCommit<string, Caller | undefined>({
    keyOf: () => "",
    underWay: LOOKS_UNDER_WAY,
    commit: findKeys,
  });
  const find = sharedLookup(look, KNOWN_FOR_MS);
  return async (header) => {
    if (header === undefined)
      throw unauthorized("the Authorization header is missing: send `Bearer bk_…`");
    const key = /^Bearer +(\S{1,200})$/i.exec(header)?.[1];
    if (key === undefined)
      throw unauthorized("the Authorization header does not have the form `Bearer bk_…`");
    const caller = await find(key);
    if (caller === undefined) throw unauthorized("this API key is unknown or was revoked");
    return caller;
  };
}

/** @throws {Problem} `missing-scope`, naming it */
export function requireScope(caller: Caller, scope: Scope): void {
  if (caller.scopes.includes(scope)) return;
  const has = caller.scopes.map((name) => `"${name}"`).join(", ") || "none";
  throw new Problem("missing-scope", `this needs the scope "${scope}"; the key has ${has}`);
}

/** Whether a key that was let in would be let in again: it may have been revoked since. */
export async function isAllowed(
  authenticate: Authenticate,
  header: string | undefined,
  scope: Scope,
): Promise<boolean> {
  try {
    requireScope(await authenticate(header), scope);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

/** Whose rows the caller may see. */
export const scopeOf = (caller: Caller): CompanyScope => caller.companyId ?? "all";

/** How the journal names the caller. */
export const requestedBy = (caller: Caller): string => `api-key:${caller.name}`.slice(0, 200);

const unauthorized = (detail: string) =>
  new Problem("unauthorized", detail, {
    headers: { "WWW-Authenticate": 'Bearer realm="ballast"' },
  });
