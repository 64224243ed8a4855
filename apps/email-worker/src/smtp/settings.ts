/** How much TLS a server must bring: `required` by STARTTLS or smtps, `opportunistic` if it offers it, `off` never asks. */
export type TlsPolicy = "required" | "opportunistic" | "off";

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (`smtps://`), whatever `tls` says. */
  readonly implicitTls: boolean;
  readonly tls: TlsPolicy;
  readonly login: { readonly user: string; readonly pass: string } | undefined;
  /** Connections this process keeps to the server. */
  readonly maxConnections: number;
  readonly timeouts: SmtpTimeouts;
}

/** All in milliseconds. */
export interface SmtpTimeouts {
  /** From the DNS lookup to the end of STARTTLS. */
  readonly connectMs: number;
  readonly greetingMs: number;
  /** Silence of the server, at any step. */
  readonly socketMs: number;
  /** One mail altogether, the wait for a free connection included. */
  readonly sendMs: number;
}

/** nodemailer's own are 2 and 10 minutes, longer than any lock or lease. */
export const SMTP_TIMEOUTS: SmtpTimeouts = {
  connectMs: 10_000,
  greetingMs: 10_000,
  socketMs: 30_000,
  sendMs: 75_000,
};

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "smtp:": 587, "smtps:": 465 };

/**
 * Read `smtp://user:pass@host:587` or `smtps://…:465`; user and password percent-encoded.
 *
 * TLS is required unless told otherwise; a server on this very machine may do without.
 *
 * @throws {TypeError} if the URL is none of the two; its message never holds the password
 */
export function smtpSettings(
  url: string,
  options: { readonly tls?: TlsPolicy | undefined; readonly maxConnections?: number } = {},
): SmtpSettings {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const defaultPort = DEFAULT_PORTS[parsed?.protocol ?? ""];
  if (parsed === undefined || defaultPort === undefined || parsed.hostname === "")
    throw new TypeError("must look like smtp://user:password@host:587 or smtps://host:465");
  const host = parsed.hostname.replace(/^\[(.*)\]$/, "$1");
  const user = decodeURIComponent(parsed.username);
  return {
    host,
    port: parsed.port === "" ? defaultPort : Number(parsed.port),
    implicitTls: parsed.protocol === "smtps:",
    tls: options.tls ?? (isLoopback(host) ? "off" : "required"),
    login: user === "" ? undefined : { user, pass: decodeURIComponent(parsed.password) },
    maxConnections: options.maxConnections ?? 5,
    timeouts: SMTP_TIMEOUTS,
  };
}

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
