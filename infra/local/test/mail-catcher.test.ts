import { connect } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { startMailCatcher } from "../src/mail-catcher.ts";
import { Mailbox } from "../src/mailbox.ts";

/** Speak SMTP by hand, one line per answer: the catcher must take what any client sends. */
async function deliver(smtpUrl: string, to: string, message: string): Promise<void> {
  const socket = connect(Number(new URL(smtpUrl).port), "127.0.0.1");
  const body = `${message.replaceAll("\n", "\r\n")}\r\n.`;
  const lines = ["HELO test", "MAIL FROM:<billing@example.com>", `RCPT TO:<${to}>`, "DATA", body];
  for await (const _answer of createInterface(socket)) {
    socket.write(`${lines.shift() ?? "QUIT"}\r\n`);
  }
}

const hostile = `From: "<script>alert(1)</script>" <billing@example.com>
To: a@example.com
Message-ID: <1@example.com>
Subject: <img src=x onerror=alert(1)>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p>Hello</p><script>alert(1)</script>
--b
Content-Type: application/pdf; name="r.pdf"
Content-Disposition: attachment; filename="r.pdf"
Content-Transfer-Encoding: base64

JVBERi0=
--b--`;

test("a caught mail is listed, shown and its attachment can be downloaded", async () => {
  await using catcher = await startMailCatcher();
  await deliver(catcher.smtpUrl, "a@example.com", hostile);

  const mails = await (await fetch(`${catcher.webUrl}/api/mails`)).json();
  expect(mails).toMatchObject([
    {
      id: 1,
      messageId: "<1@example.com>",
      to: ["a@example.com"],
      attachments: [{ filename: "r.pdf", contentType: "application/pdf", sizeBytes: 5 }],
    },
  ]);
  const download = await fetch(`${catcher.webUrl}/mails/1/attachments/0`);
  expect(download.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''r.pdf");
  expect(await download.text()).toBe("%PDF-");
});

test("nothing in a mail becomes markup of our pages, and its HTML may run and fetch nothing", async () => {
  await using catcher = await startMailCatcher();
  await deliver(catcher.smtpUrl, "a@example.com", hostile);

  for (const path of ["/", "/mails/1"]) {
    const body = await (await fetch(catcher.webUrl + path)).text();
    expect(body).not.toContain("<script>");
    expect(body).not.toContain("<img src=x");
  }
  const boxed = await fetch(`${catcher.webUrl}/mails/1/html`);
  const policy = boxed.headers.get("content-security-policy");
  expect(policy).toMatch(/^sandbox; default-src 'none';/);
  expect(policy).not.toMatch(/allow-|script-src|https?:/);
});

test("a request that names another host is refused", async () => {
  await using catcher = await startMailCatcher();
  const { port } = new URL(catcher.webUrl);
  const socket = connect(Number(port), "127.0.0.1");
  socket.write("GET /api/mails HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n");
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 403 /);
});

test("the mailbox drops its oldest mails rather than grow", async () => {
  await using catcher = await startMailCatcher(new Mailbox({ count: 2, bytes: 1_000_000 }));
  for (const n of [1, 2, 3])
    await deliver(catcher.smtpUrl, `c${n}@example.com`, `Subject: ${n}\n\nx`);
  expect(catcher.mailbox.list().map(({ id }) => id)).toEqual([3, 2]);
});

test("waiting for a mail ends with the mail, or with the signal", async () => {
  await using catcher = await startMailCatcher();
  const arrival = catcher.mailbox.waitFor(
    (m) => m.parsed.subject === "two",
    AbortSignal.timeout(5_000),
  );
  await deliver(catcher.smtpUrl, "a@example.com", "Subject: one\n\nx");
  await deliver(catcher.smtpUrl, "a@example.com", "Subject: two\n\nx");
  expect((await arrival).id).toBe(2);
  await expect(catcher.mailbox.waitFor(() => false, AbortSignal.abort())).rejects.toThrow();
});
