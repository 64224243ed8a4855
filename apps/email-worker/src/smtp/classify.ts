import { isCertificateCode } from "@ballast/jobs";

/** How far a mail had come when something went wrong. */
export type Stage =
  /** No session yet: connecting, greeting, TLS, login. */
  | "session"
  /** The server has not asked for the message: before its 354. */
  | "envelope"
  /** The server said 354 and we began: it may hold the whole message. */
  | "message";

/** What became of one mail. */
export type SendResult =
  | { readonly kind: "accepted"; readonly response: string }
  /** 4xx: this mail may be taken later. */
  | { readonly kind: "refused_for_now"; readonly response: string; readonly code: number }
  /** 5xx for this recipient or this content. */
  | { readonly kind: "refused"; readonly response: string }
  /** Nothing was handed over, and the mail is not to blame. */
  | {
      readonly kind: "server_down";
      readonly reason: string;
      readonly refusesLogin?: true;
      /** Its certificate is none that we trust. */
      readonly distrusted?: true;
    }
  /** The server may or may not have taken it; only a person can tell. */
  | { readonly kind: "unknown"; readonly reason: string };

/** What nodemailer tells about a failure. */
export interface SmtpFailure {
  readonly message: string;
  readonly code?: string | undefined;
  /** That of the system or of TLS, where `code` is nodemailer's. */
  readonly originalCode?: string | undefined;
  /** The server's reply, whole. */
  readonly response?: string | undefined;
  readonly responseCode?: number | undefined;
}

/**
 * Judge a failure by how far the mail had come: the same broken connection means "ask again" before
 * the server's 354, and "nobody knows" after it (RFC 1047), though both look alike to the client.
 *
 * A reply decides in either case: the server then has said that it did not take the mail.
 */
export function classify(failure: SmtpFailure, stage: Stage): SendResult {
  const { message, response, responseCode: code = 0 } = failure;
  const reason = message.replace(/\s+/g, " ").trim();
  const login = LOGIN_REFUSED.has(code) ? ({ refusesLogin: true } as const) : {};
  const trust = isCertificateCode(failure.originalCode) ? ({ distrusted: true } as const) : {};
  if (stage === "session") return { kind: "server_down", reason, ...login, ...trust };

  const replied = response !== undefined && code >= 400 && code <= 599;
  if (!replied) {
    if (stage === "message") return { kind: "unknown", reason };
    // Found by nodemailer itself, e.g. larger than the server's SIZE: no later attempt differs.
    if (failure.code === "EMESSAGE" || failure.code === "EENVELOPE")
      return { kind: "refused", response: reason };
    return { kind: "server_down", reason };
  }
  if (code === CLOSING || LOGIN_REFUSED.has(code))
    return { kind: "server_down", reason: response, ...login };
  if (code < 500) return { kind: "refused_for_now", response, code };
  return { kind: "refused", response };
}

/** 421 speaks of the server, not of the mail (RFC 5321). */
const CLOSING = 421;

/** 530 authentication or STARTTLS first, 534/535/538 authentication refused (RFC 4954): of us, not of the mail. */
const LOGIN_REFUSED: ReadonlySet<number> = new Set([530, 534, 535, 538]);
