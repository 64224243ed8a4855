import { createHash } from "node:crypto";
import { DependencyDownError } from "@ballast/jobs";
import type { RemoteRequest, RemoteResponse } from "../http/remote-http.ts";
import type { Ask, AskOptions } from "./ask.ts";
import { number, object, text } from "./json.ts";

/** Where and with what an access token is got: OAuth 2, RFC 6749 section 6. */
export interface TokenGrant {
  /** For people. */
  readonly name: string;
  readonly url: string;
  readonly form: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Token {
  readonly value: string;
  readonly expiresAt: number;
}

/** A token is left alone this long before it ends, or it would end on its way. */
const MARGIN_MS = 60_000;

/**
 * Access tokens of a process, by what they were got with. Share one among all accounts, so that a token
 * outlives the push that fetched it; in memory alone, since a token opens the shop.
 */
export class AccessTokens {
  readonly #tokens = new Map<string, Promise<Token>>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The token at hand, or a fresh one; those who ask at once share one call. */
  async get(grant: TokenGrant, ask: Ask, signal: AbortSignal): Promise<string> {
    const key = keyOf(grant);
    for (;;) {
      const held = this.#tokens.get(key);
      if (held === undefined) {
        const fresh = this.#fetch(grant, ask, signal);
        this.#tokens.set(key, fresh);
        try {
          return (await fresh).value;
        } catch (error) {
          this.#forget(key, fresh);
          throw error;
        }
      }
      // Another's failure is not ours: it may have been aborted.
      const token = await held.catch(() => undefined);
      signal.throwIfAborted();
      if (token !== undefined && this.#now() < token.expiresAt - MARGIN_MS) return token.value;
      this.#forget(key, held);
    }
  }

  /** The remote did not take this token: the next one who asks gets a fresh one. */
  async refused(grant: TokenGrant, value: string): Promise<void> {
    const key = keyOf(grant);
    const held = this.#tokens.get(key);
    if ((await held?.catch(() => undefined))?.value === value) this.#forget(key, held);
  }

  #forget(key: string, held: Promise<Token> | undefined): void {
    if (this.#tokens.get(key) === held) this.#tokens.delete(key);
  }

  async #fetch(grant: TokenGrant, ask: Ask, signal: AbortSignal): Promise<Token> {
    const response = await ask(
      {
        method: "POST",
        url: grant.url,
        headers: { "Content-Type": "application/x-www-form-urlencoded", ...grant.headers },
        body: new URLSearchParams(grant.form).toString(),
      },
      { signal, cost: 0, ownQuota: true, tolerates: isRefusal },
    );
    const { access_token, expires_in, error } = object(response.body);
    const value = text(access_token);
    if (isRefusal(response) || value === undefined || value === "")
      throw new DependencyDownError(
        "auth_failed",
        `${grant.name} gave no access token (${response.status}, ${text(error) ?? "no reason"}): authorize the account again`,
      );
    return { value, expiresAt: this.#now() + (number(expires_in) ?? 3_600) * 1_000 };
  }
}

/** `invalid_grant` is a 400, `invalid_client` a 400 or 401; both mean that nobody is let in. */
const isRefusal = ({ status }: RemoteResponse) => status >= 400 && status < 404;

const keyOf = ({ url, form, headers }: TokenGrant): string =>
  createHash("sha256")
    .update(JSON.stringify([url, form, headers]))
    .digest("base64");

/**
 * Asks with an access token, and once more with a fresh one if this one was not taken: tokens end early,
 * when a password changes or a clock is wrong.
 */
export const withToken =
  (
    ask: Ask,
    {
      tokens,
      grant,
      header,
    }: {
      readonly tokens: AccessTokens;
      readonly grant: TokenGrant;
      readonly header: (token: string) => Readonly<Record<string, string>>;
    },
  ): Ask =>
  async (request: RemoteRequest, options: AskOptions) => {
    const authorized = (token: string): RemoteRequest => ({
      ...request,
      secrets: [token],
      headers: { ...request.headers, ...header(token) },
    });
    const first = await tokens.get(grant, ask, options.signal);
    const response = await ask(authorized(first), {
      ...options,
      tolerates: (answer) => isUnauthorized(answer) || options.tolerates?.(answer) === true,
    });
    if (!isUnauthorized(response)) return response;
    await tokens.refused(grant, first);
    return ask(authorized(await tokens.get(grant, ask, options.signal)), options);
  };

/** Amazon answers an expired token with 403. */
const isUnauthorized = ({ status }: RemoteResponse) => status === 401 || status === 403;
