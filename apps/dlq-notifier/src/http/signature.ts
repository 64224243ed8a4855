import { createHmac } from "node:crypto";

/**
 * Headers by which a receiver knows that a body comes from us and when it was sent.
 *
 * `Ballast-Signature` is `v1=` and the HMAC-SHA-256 of `<Ballast-Timestamp>.<body>` in hex. A receiver
 * compares it in constant time and refuses a timestamp (seconds since 1970) that is minutes old.
 */
export function signed(
  secret: string,
  body: string,
  nowMs = Date.now(),
): { readonly "Ballast-Timestamp": string; readonly "Ballast-Signature": string } {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signature = createHmac("sha256", secret).update(`${timestamp}.${body}`).digest("hex");
  return { "Ballast-Timestamp": timestamp, "Ballast-Signature": `v1=${signature}` };
}
