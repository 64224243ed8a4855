import { domainToASCII } from "node:url";
import { z } from "zod";

/** One address, safe in an envelope and in a header: a plain `local@domain`, ASCII, no list. */
export type MailAddress = string & z.$brand<"MailAddress">;

/** RFC 5321 allows 254 characters between the angle brackets. */
const Schema = z.email().max(254).brand<"MailAddress">();

/**
 * Accept one address, its domain in ASCII form (`müller.example` → `xn--mller-kva.example`).
 *
 * Mail libraries read a comma as the start of a second recipient and a line end as a new header, so
 * anything but one plain address is refused rather than repaired.
 *
 * @returns `undefined` if this is not exactly one plain address
 */
export function mailAddress(text: string): MailAddress | undefined {
  const at = text.lastIndexOf("@");
  if (at < 1 || /[\s\p{C},;:<>()[\]\\"]/u.test(text)) return undefined;
  const domain = domainToASCII(text.slice(at + 1));
  return Schema.safeParse(`${text.slice(0, at)}@${domain}`).data;
}
