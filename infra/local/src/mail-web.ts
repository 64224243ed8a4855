import type { IncomingMessage, ServerResponse } from "node:http";
import { listPage, mailPage } from "./mail-pages.ts";
import type { CaughtMail, Mailbox } from "./mailbox.ts";

/** Our own pages: no script at all, frames from here alone. */
const pagePolicy =
  "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** A mail's HTML: sandboxed also when opened on its own; no script, and nothing is fetched. */
const mailPolicy =
  "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:";

/** Answer one request for the mails. Mails are strangers' input: all of it is escaped, boxed or downloaded. */
export function answerMailRequest(
  mailbox: Mailbox,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const send = (status: number, type: string, body: string | Buffer, headers = {}) =>
    response
      .writeHead(status, {
        "Content-Type": type,
        "Content-Length": Buffer.byteLength(body),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Content-Security-Policy": pagePolicy,
        ...headers,
      })
      .end(request.method === "HEAD" ? undefined : body);
  const text = (status: number, body: string) => send(status, "text/plain; charset=utf-8", body);
  const html = (body: string, headers = {}) => send(200, "text/html; charset=utf-8", body, headers);

  // A page elsewhere can point a name of its own at this machine; it cannot fake the Host header.
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? "")) {
    return void text(403, "ask for 127.0.0.1 or localhost\n");
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return void text(405, "only GET\n");
  }

  const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
  if (pathname === "/") return void html(listPage(mailbox.list()));
  if (pathname === "/api/mails") {
    const body = JSON.stringify(mailbox.list().map(summaryOf));
    return void send(200, "application/json; charset=utf-8", body);
  }

  const [, id, part, index] =
    /^\/mails\/(\d+)(?:\/(html|source|attachments)(?:\/(\d+))?)?$/.exec(pathname) ?? [];
  const mail = mailbox.find(Number(id));
  if (!mail) return void text(404, "no such page, or the mail has been dropped for newer ones\n");
  switch (part) {
    case undefined:
      return void html(mailPage(mail));
    case "html":
      return void html(mail.parsed.html || "", {
        "Content-Security-Policy": `${mailPolicy}; frame-ancestors 'self'`,
      });
    case "source":
      return void send(200, "text/plain; charset=utf-8", mail.source);
    default: {
      const attachment = mail.parsed.attachments[Number(index ?? -1)];
      if (!attachment) return void text(404, "this mail has no such attachment\n");
      const name = encodeURIComponent(attachment.filename ?? "attachment").replace(/['()*]/g, "_");
      return void send(200, "application/octet-stream", attachment.content, {
        "Content-Disposition": `attachment; filename*=UTF-8''${name}`,
      });
    }
  }
}

/** A mail as `/api/mails` tells it. */
const summaryOf = (mail: CaughtMail) => ({
  id: mail.id,
  receivedAt: mail.receivedAt.toISOString(),
  messageId: mail.parsed.messageId ?? null,
  from: mail.parsed.from?.text ?? mail.envelopeFrom,
  to: mail.envelopeTo,
  subject: mail.parsed.subject ?? "",
  sizeBytes: mail.source.byteLength,
  attachments: mail.parsed.attachments.map((attachment) => ({
    filename: attachment.filename ?? null,
    contentType: attachment.contentType,
    sizeBytes: attachment.size,
  })),
});
