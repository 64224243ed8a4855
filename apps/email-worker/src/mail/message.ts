import { createHash } from "node:crypto";
import * as quotedPrintable from "nodemailer/lib/qp";
import type { MailAddress } from "./address.ts";
import { headerAddress, headerParameter, headerText } from "./headers.ts";

export interface Message {
  readonly from: { readonly name: string; readonly address: MailAddress };
  readonly to: MailAddress;
  readonly replyTo: { readonly name: string; readonly address: MailAddress } | undefined;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** BCP 47. */
  readonly language: string;
  readonly date: Date;
  /** With its angle brackets. */
  readonly messageId: string;
  /** `undefined`: it carries none. */
  readonly pdf: { readonly fileName: string; readonly base64: Buffer } | undefined;
}

const MESSAGE_ID = /^<[^\s<>@]+@[^\s<>@]+>$/;
const LANGUAGE = /^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/;

/**
 * Write a mail as MIME (RFC 5322, RFC 2045): text and HTML as alternatives, then the PDF if there is one, whose
 * base64 is taken as it was stored and only passed through.
 *
 * The header names are this list and no other; every value is encoded, so none can start a line.
 *
 * @param message `pdf.base64` in lines of 76 characters that end in CRLF
 * @returns the message in pieces, all ASCII, no line over 998 characters
 * @throws {TypeError} if Message-ID or language are malformed
 */
export function mimeMessage(message: Message): Buffer[] {
  const { messageId, language, pdf } = message;
  if (!MESSAGE_ID.test(messageId)) throw new TypeError(`"${messageId}" is no Message-ID`);
  if (!LANGUAGE.test(language)) throw new TypeError(`"${language}" is no language tag`);
  // "=_" occurs neither in quoted-printable nor in base64, so no part can hold a boundary.
  const seed = createHash("sha256").update(messageId).digest("hex").slice(0, 24);
  const mixed = `=_mixed_${seed}`;
  const either = `=_alternative_${seed}`;

  const head = [
    `From: ${headerAddress(message.from)}`,
    `To: <${message.to}>`,
    ...(message.replyTo === undefined ? [] : [`Reply-To: ${headerAddress(message.replyTo)}`]),
    `Subject: ${headerText(message.subject)}`,
    `Date: ${message.date.toUTCString().replace("GMT", "+0000")}`,
    `Message-ID: ${messageId}`,
    "MIME-Version: 1.0",
    // A machine sent this: vacation notices and other robots keep silent (RFC 3834).
    "Auto-Submitted: auto-generated",
    "X-Auto-Response-Suppress: All",
    `Content-Language: ${language}`,
  ];
  const body = [
    `Content-Type: multipart/alternative;\r\n boundary="${either}"`,
    "",
    ...textPart(either, "text/plain", message.text),
    ...textPart(either, "text/html", message.html),
    `--${either}--`,
  ];
  if (pdf === undefined) return [Buffer.from(lines(...head, ...body))];
  const beforePdf = lines(
    ...head,
    `Content-Type: multipart/mixed;\r\n boundary="${mixed}"`,
    "",
    `--${mixed}`,
    ...body,
    "",
    `--${mixed}`,
    `Content-Type: application/pdf${headerParameter("name", pdf.fileName)}`,
    `Content-Disposition: attachment${headerParameter("filename", pdf.fileName)}`,
    "Content-Transfer-Encoding: base64",
    "",
  );
  return [Buffer.from(beforePdf), pdf.base64, Buffer.from(lines("", `--${mixed}--`))];
}

const lines = (...all: readonly string[]): string => `${all.join("\r\n")}\r\n`;

const textPart = (boundary: string, type: string, body: string): string[] => [
  `--${boundary}`,
  `Content-Type: ${type}; charset=utf-8`,
  "Content-Transfer-Encoding: quoted-printable",
  "",
  quotedPrintable.wrap(quotedPrintable.encode(body.toWellFormed().replace(/\r\n|\r|\n/g, "\r\n"))),
];
