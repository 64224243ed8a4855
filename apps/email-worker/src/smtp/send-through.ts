import {
  AUTH_FAILED,
  CERTIFICATE_REFUSED,
  DependencyDownError,
  type RemoteGuard,
} from "@ballast/jobs";
import type { SendResult } from "./classify.ts";

/**
 * Send one mail through the gate of its server.
 *
 * A server that takes nothing or breaks off closes it, since each mail it breaks off costs a person's time. What
 * became of a mail is returned whatever becomes of the gate: it is known here alone.
 *
 * @throws {DependencyDownError} `gate_closed`, before anything was sent; the abort's reason
 */
export async function sendThrough(
  guard: RemoteGuard,
  send: () => Promise<SendResult>,
  signal: AbortSignal,
): Promise<SendResult> {
  let result: SendResult | undefined;
  try {
    return await guard.call({ cost: 0, signal }, async () => {
      result = await send();
      if (result.kind === "server_down" || result.kind === "unknown") throw failureOf(result);
      return { value: result };
    });
  } catch (error) {
    if (result === undefined) throw error;
    return result;
  }
}

/** Without the server's words: they may speak of one recipient, and everybody who waits reads this. */
function failureOf(result: SendResult): DependencyDownError {
  if (result.kind === "server_down" && result.refusesLogin)
    return new DependencyDownError(
      AUTH_FAILED,
      "the mail server refuses our login: check SMTP_URL",
    );
  if (result.kind === "server_down" && result.distrusted)
    return new DependencyDownError(
      CERTIFICATE_REFUSED,
      "the mail server's certificate is none that we trust: renew it there, or check SMTP_URL",
    );
  return new DependencyDownError("smtp_down", "the mail server took nothing or broke off");
}
