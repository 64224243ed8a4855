import { mailStylesheet } from "./mail-stylesheet.ts";
import type { CaughtMail } from "./mailbox.ts";

/** Refreshes itself, so that a mail shows up without a script. */
export function listPage(mails: readonly CaughtMail[]): string {
  const rows = mails.map(
    (mail) => `<li><a class="mail" href="/mails/${mail.id}">
      <span class="who">${escaped(mail.envelopeTo.join(", "))}</span>
      <span class="what"><b dir="auto">${escaped(mail.parsed.subject ?? "(no subject)")}</b>
        <span class="preview" dir="auto">${escaped(preview(mail))}</span></span>
      <span class="clip">${mail.parsed.attachments.map((a) => chip(a.filename, a.size)).join(" ")}</span>
      <time datetime="${mail.receivedAt.toISOString()}">${clock(mail.receivedAt)}</time></a></li>`,
  );
  const body =
    mails.length > 0
      ? `<ul class="mails">${rows.join("")}</ul>`
      : `<p class="empty">No mail yet. It appears here by itself as soon as one is sent.</p>`;
  return page(
    "Mails",
    `<header><h1>Mails <small>${mails.length}</small></h1>
     <p>Caught on this machine; nothing was delivered. <a href="/api/mails">JSON</a></p></header>${body}`,
    `<meta http-equiv="refresh" content="5">`,
  );
}

export function mailPage(mail: CaughtMail): string {
  const { parsed, id } = mail;
  const facts: ReadonlyArray<readonly [string, string]> = [
    ["From", parsed.from?.text ?? mail.envelopeFrom],
    ["To", mail.envelopeTo.join(", ")],
    ["Date", (parsed.date ?? mail.receivedAt).toUTCString()],
    ["Message-ID", parsed.messageId ?? "(none)"],
  ];
  const attachments = parsed.attachments.map(
    (a, index) =>
      `<a class="chip" href="/mails/${id}/attachments/${index}">${chipText(a.filename, a.size)}</a>`,
  );
  const headers = parsed.headerLines.map(({ line }) => escaped(line)).join("\n");
  return page(
    parsed.subject ?? "(no subject)",
    `<header><p><a href="/">&larr; All mails</a></p>
     <h1 dir="auto">${escaped(parsed.subject ?? "(no subject)")}</h1></header>
     <dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd dir="auto">${escaped(value)}</dd>`).join("")}</dl>
     ${attachments.length > 0 ? `<p class="attachments">${attachments.join(" ")}</p>` : ""}
     ${parsed.html ? `<h2>HTML</h2><iframe sandbox title="The mail as HTML" src="/mails/${id}/html"></iframe>` : ""}
     <h2>Text</h2><pre dir="auto">${escaped(parsed.text ?? "(none)")}</pre>
     <details><summary>Headers</summary><pre>${headers}</pre></details>
     <p><a href="/mails/${id}/source">Source</a>, ${size(mail.source.byteLength)}</p>`,
  );
}

const page = (title: string, body: string, head = ""): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>${head}<style>${mailStylesheet}</style></head>
<body><main>${body}</main></body></html>`;

const preview = (mail: CaughtMail): string =>
  (mail.parsed.text ?? "").replace(/\s+/g, " ").slice(0, 140);

const chip = (name: string | undefined, bytes: number): string =>
  `<span class="chip">${chipText(name, bytes)}</span>`;

const chipText = (name: string | undefined, bytes: number): string =>
  `${escaped(name ?? "attachment")} <small>${size(bytes)}</small>`;

const size = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;

const clock = (date: Date): string => date.toTimeString().slice(0, 8);

const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
