import { randomUUID } from "node:crypto";
import type { Answer, Call, World } from "./imitation.ts";

/** The server of access tokens: gives one for the refresh token, and knows which are still good. */
export function openTokenServer(isKnown: (call: Call, form: URLSearchParams) => boolean) {
  const good = new Set<string>();
  return {
    grant(call: Call, { isLockedOut }: World): Answer {
      const form = new URLSearchParams(call.text);
      if (isLockedOut || form.get("grant_type") !== "refresh_token" || !isKnown(call, form))
        return {
          status: 400,
          body: { error: "invalid_grant", error_description: "the refresh token is not valid" },
        };
      const token = `access-${randomUUID()}`;
      good.add(token);
      return {
        status: 200,
        body: { access_token: token, token_type: "bearer", expires_in: 3_600 },
      };
    },
    isGood: (token: string | undefined, { isLockedOut }: World): boolean =>
      !isLockedOut && token !== undefined && good.has(token),
    /** All that were given so far end before their time, as they do when a password changes. */
    end: () => good.clear(),
  };
}
