import { DependencyDownError, type JobError, PermanentError } from "@ballast/jobs";
import { createTransport } from "nodemailer";
import type { AlertMessage } from "../alerts/alert-message.ts";
import { words } from "../http/call.ts";
import type { Channel } from "./channel.ts";

export interface MailSettings {
  readonly smtpUrl: string;
  readonly tls: "required" | "opportunistic" | "off";
  readonly from: string;
  readonly to: readonly string[];
}

/** All shorter than the job's own timeout; nodemailer's are minutes. */
const TIMEOUTS = { connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 10_000 };
/** Somebody has to mend the settings first. */
const REFUSED_MS = 600_000;

/** Mail to the people on call, by the mail server that invoices go out by, on a connection of its own. */
export function mail({ smtpUrl, tls, from, to }: MailSettings): Channel {
  const transport = createTransport({
    url: smtpUrl,
    requireTLS: tls === "required",
    ignoreTLS: tls === "off",
    disableFileAccess: true,
    disableUrlAccess: true,
    ...TIMEOUTS,
  });
  return {
    name: "mail",
    async send(message, signal) {
      signal.throwIfAborted();
      try {
        const { response } = await transport.sendMail({
          from: { name: "Ballast", address: from },
          // One by one, so that a comma in an address makes no second recipient.
          to: to.map((address) => ({ name: "", address })),
          subject: message.headline,
          text: mailText(message),
          messageId: `<alert-${message.alertId}@ballast.invalid>`,
          references: `<incident-${message.incidentId}@ballast.invalid>`,
          headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
        });
        return words(response).replace(/^: /, "");
      } catch (error) {
        signal.throwIfAborted();
        throw mailFailure(error as Error & { code?: string; responseCode?: number });
      }
    },
  };
}

function mailText({ headline, title, facts, sample, url }: AlertMessage): string {
  return [
    headline,
    "",
    title,
    "",
    ...facts.map(({ name, value }) => `${name}: ${value}`),
    ...(url === null ? [] : ["", url]),
    ...(sample === null ? [] : ["", "Latest payload:", sample]),
    "",
  ].join("\n");
}

/** The server's words may hold addresses, and nodemailer's error the password. */
function mailFailure({
  code,
  responseCode,
  message,
}: Error & { code?: string; responseCode?: number }): JobError {
  const isPermanent = responseCode !== undefined && responseCode >= 500;
  if (isPermanent && code === "EMESSAGE")
    return new PermanentError(
      "alert_rejected",
      `the mail server rejected the alert${words(message)}`,
    );
  return new DependencyDownError(
    isPermanent ? "channel_refused" : "channel_down",
    `the mail server did not take the alert (${code ?? "no code"})${words(message)}`,
    isPermanent ? { retryAfterMs: REFUSED_MS } : {},
  );
}
