import {
  type SmtpBehaviour,
  type SmtpServerDouble,
  type SmtpServerOptions,
  startSmtpServer,
} from "@ballast/testing";
import { expect, test, vi } from "vitest";
import { createMailer, type Mailer } from "../../src/smtp/mailer.ts";
import type { OutgoingMail } from "../../src/smtp/session.ts";
import { SMTP_TIMEOUTS, type SmtpSettings, smtpSettings } from "../../src/smtp/settings.ts";

const RECIPIENT = "customer@example.org";
/** Larger than what a socket buffers, so that the middle of it is a real place. */
const BODY = Buffer.alloc(7_000 * 76, `${"x".repeat(74)}\r\n`);

const aMail = (to = RECIPIENT): OutgoingMail => ({
  from: "billing@acme.example",
  to,
  message: [Buffer.from(`To: <${to}>\r\nSubject: Hello\r\n\r\n.dots\r\n..\r\n`), BODY],
});

interface Setup extends AsyncDisposable {
  readonly server: SmtpServerDouble;
  readonly mailer: Mailer;
  send(mail?: OutgoingMail, signal?: AbortSignal): ReturnType<Mailer["send"]>;
}

async function setup(
  options: SmtpServerOptions = {},
  change: (settings: SmtpSettings) => Partial<SmtpSettings> = () => ({}),
): Promise<Setup> {
  const server = await startSmtpServer(options);
  const settings = smtpSettings(server.url);
  const mailer = createMailer({ ...settings, ...change(settings) });
  return {
    server,
    mailer,
    send: (mail = aMail(), signal = new AbortController().signal) => mailer.send(mail, signal),
    async [Symbol.asyncDispose]() {
      await mailer[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Patience runs out with a server that stays silent, and with no other: this machine may be the slow one. */
const patienceWith = ({ kind }: SmtpBehaviour) => ({
  timeouts: kind === "silence" ? { ...SMTP_TIMEOUTS, socketMs: 1_500 } : SMTP_TIMEOUTS,
});

test.each([
  ["a line of a dot alone", ["To: <a@b.example>\r\n\r\nabove\r\n.\r\nbelow\r\n"]],
  ["a part that begins with a dot", ["To: <a@b.example>\r\n\r\n", ".dot\r\n"]],
  ["dots within lines", ["To: <a@b.example>\r\n\r\n", "a.dot\r\n", "b\r\n"]],
  ["no dot at all", ["To: <a@b>\r\n\r\n", "YmFzZTY0", "\r\n--end--\r\n"]],
])("a message with %s arrives as it is, and so does the next", async (_what, parts) => {
  await using t = await setup();
  const message = parts.map((part) => Buffer.from(part));

  await t.send({ ...aMail(), message });
  await t.send();

  expect(t.server.mails.map(({ raw }) => raw.toString())).toEqual([
    parts.join(""),
    aMail().message.join(""),
  ]);
});

test("an accepted mail arrives once, byte for byte, for its one recipient", async () => {
  await using t = await setup();

  const result = await t.send();

  expect(result).toEqual({ kind: "accepted", response: "250 2.0.0 Ok: queued" });
  expect(t.server.mails).toHaveLength(1);
  expect(t.server.mails[0]?.envelopeFrom).toBe("billing@acme.example");
  expect(t.server.mails[0]?.envelopeTo).toEqual([RECIPIENT]);
  expect(t.server.mails[0]?.raw.equals(Buffer.concat(aMail().message))).toBe(true);
});

const MISBEHAVIOUR: readonly [string, SmtpBehaviour, string, number][] = [
  ["drops the connection at the greeting", { kind: "drop", at: "greeting" }, "server_down", 0],
  ["drops the connection after RCPT", { kind: "drop", at: "rcpt" }, "server_down", 0],
  ["drops the connection at DATA", { kind: "drop", at: "data" }, "server_down", 0],
  ["drops the connection in the body", { kind: "drop", at: "body" }, "unknown", 0],
  ["drops the connection after the body", { kind: "drop", at: "message" }, "unknown", 1],
  ["stays silent after RCPT", { kind: "silence", at: "rcpt" }, "server_down", 0],
  ["stays silent after the body", { kind: "silence", at: "message" }, "unknown", 1],
  [
    "answers the connection with 554",
    { kind: "reply", at: "greeting", code: 554, text: "no service" },
    "server_down",
    0,
  ],
  [
    "answers MAIL with 451",
    { kind: "reply", at: "mail", code: 451, text: "later" },
    "refused_for_now",
    0,
  ],
  [
    "answers RCPT with 450",
    { kind: "reply", at: "rcpt", code: 450, text: "greylisted" },
    "refused_for_now",
    0,
  ],
  ["answers RCPT with 550", { kind: "reply", at: "rcpt", code: 550, text: "nobody" }, "refused", 0],
  [
    "answers RCPT with 421",
    { kind: "reply", at: "rcpt", code: 421, text: "closing" },
    "server_down",
    0,
  ],
  [
    "answers the body with 452",
    { kind: "reply", at: "message", code: 452, text: "full" },
    "refused_for_now",
    0,
  ],
  [
    "answers the body with 554",
    { kind: "reply", at: "message", code: 554, text: "spam" },
    "refused",
    0,
  ],
];

test.each(MISBEHAVIOUR)("a server that %s", async (_what, behaviour, kind, copies) => {
  await using t = await setup({ behaviour }, () => patienceWith(behaviour));

  expect((await t.send()).kind).toBe(kind);
  expect(t.server.mails).toHaveLength(copies);
});

test.each(MISBEHAVIOUR)(
  "on a connection used before: a server that %s",
  async (_what, behaviour, kind, copies) => {
    await using t = await setup({}, () => patienceWith(behaviour));
    await t.send(aMail("first@example.org"));
    t.server.behave((recipient) =>
      recipient === "first@example.org" ? { kind: "accept" } : behaviour,
    );

    const result = await t.send();

    // The connection stands, so what happens at the greeting is never met.
    expect(result.kind).toBe("at" in behaviour && behaviour.at === "greeting" ? "accepted" : kind);
    const got = t.server.mails.filter(({ envelopeTo }) => envelopeTo.includes(RECIPIENT));
    expect(got).toHaveLength(result.kind === "accepted" ? 1 : copies);
  },
);

test("a server that is not there is down", async () => {
  await using t = await setup();
  await t.server[Symbol.asyncDispose]();

  expect(await t.send()).toMatchObject({
    kind: "server_down",
    reason: expect.stringMatching(/ECONNREFUSED/),
  });
});

test("where TLS is required and not offered, not even the sender is told", async () => {
  await using t = await setup({}, () => ({ tls: "required" }));
  const reached = vi.fn();
  t.server.behave((recipient) => {
    reached(recipient);
    return { kind: "accept" };
  });

  expect((await t.send()).kind).toBe("server_down");
  expect(t.server.mails).toHaveLength(0);
  expect(reached.mock.calls).toEqual([[""]]); // the greeting alone
});

test("a certificate that nobody vouches for is not trusted", async () => {
  await using t = await setup({ startTls: true }, () => ({ tls: "required" }));

  expect(await t.send()).toMatchObject({
    kind: "server_down",
    reason: expect.stringMatching(/certificate/),
    distrusted: true,
  });
});

test("the right password is taken, a wrong one is the server's trouble and not the mail's", async () => {
  const login = { user: "ballast", pass: "right" };
  await using t = await setup({ login });
  await using wrong = createMailer({
    ...smtpSettings(t.server.url),
    login: { user: "ballast", pass: "wrong" },
  });

  expect((await t.send()).kind).toBe("accepted");
  const result = await wrong.send(aMail(), new AbortController().signal);
  expect(result).toMatchObject({ kind: "server_down", reason: expect.stringMatching(/535/) });
  expect(JSON.stringify(result)).not.toContain("wrong");
});

test("a password is not given to a server that does not ask for one", async () => {
  await using t = await setup({}, () => ({ login: { user: "ballast", pass: "secret" } }));

  expect(await t.send()).toMatchObject({
    kind: "server_down",
    reason: expect.stringMatching(/offers no AUTH/),
  });
});

test("a mail larger than the server takes is refused before it is sent", async () => {
  await using t = await setup({ maxBytes: 1_000 });

  expect(await t.send()).toMatchObject({
    kind: "refused",
    response: expect.stringMatching(/larger than allowed 1000/),
  });
  expect(t.server.mails).toHaveLength(0);
});

test("mails share connections, and never more than the setting", async () => {
  await using t = await setup({}, () => ({ maxConnections: 3 }));

  const results = await Promise.all(
    Array.from({ length: 12 }, (_, i) => t.send(aMail(`c${i}@example.org`))),
  );

  expect(results.every(({ kind }) => kind === "accepted")).toBe(true);
  expect(t.server.connections).toBe(3);
  const recipients = t.server.mails.map(({ envelopeTo }) => envelopeTo.join());
  expect(new Set(recipients).size).toBe(12);
});

test("each of many mails at once gets its own verdict", async () => {
  await using t = await setup({}, () => ({ maxConnections: 4 }));
  const kinds = ["accept", "drop", "reply"] as const;
  t.server.behave((recipient) => {
    const kind = kinds.find((name) => recipient.startsWith(name)) ?? "accept";
    if (kind === "drop") return { kind, at: "message" };
    if (kind === "reply") return { kind, at: "rcpt", code: 550, text: "nobody" };
    return { kind };
  });

  const results = await Promise.all(
    Array.from({ length: 24 }, async (_, i) => {
      const kind = kinds[i % 3] ?? "accept";
      const result = await t.send(aMail(`${kind}${i}@example.org`));
      return `${kind} ${result.kind}`;
    }),
  );

  expect(new Set(results)).toEqual(new Set(["accept accepted", "drop unknown", "reply refused"]));
  const recipients = t.server.mails.map(({ envelopeTo }) => envelopeTo.join());
  expect(new Set(recipients).size).toBe(recipients.length);
});

test("a connection that the server closed while it was idle costs no mail its turn", async () => {
  await using t = await setup();
  await t.send(aMail("first@example.org"));
  t.server.hangUp();

  expect((await t.send()).kind).toBe("accepted");
  expect(t.server.mails).toHaveLength(2);
});

test("an abort before the server's 354 lets go, and nothing was handed over", async () => {
  await using t = await setup({ behaviour: { kind: "silence", at: "rcpt" } });
  const stop = new AbortController();

  const sending = t.send(aMail(), stop.signal);
  await t.server.reached("rcpt");
  stop.abort(new Error("shutdown"));

  await expect(sending).rejects.toThrow("shutdown");
  expect(t.server.mails).toHaveLength(0);
});

test("an abort after the server's 354 leaves the outcome unknown", async () => {
  await using t = await setup({ behaviour: { kind: "silence", at: "message" } });
  const stop = new AbortController();

  const sending = t.send(aMail(), stop.signal);
  await t.server.waitForMails(1);
  stop.abort(new Error("shutdown"));

  expect(await sending).toEqual({ kind: "unknown", reason: "shutdown" });
});

test("an abort while waiting for a free connection lets go", async () => {
  await using t = await setup({ behaviour: { kind: "silence", at: "rcpt" } }, () => ({
    maxConnections: 1,
  }));
  const first = new AbortController();
  const second = new AbortController();
  const sending = t.send(aMail(), first.signal);
  await t.server.reached("rcpt");

  const waiting = t.send(aMail("other@example.org"), second.signal);
  second.abort(new Error("shutdown"));
  await expect(waiting).rejects.toThrow("shutdown");

  first.abort(new Error("shutdown"));
  await expect(sending).rejects.toThrow("shutdown");
  t.server.behave({ kind: "accept" });
  expect((await t.send()).kind).toBe("accepted"); // the turn came back
});

test("a mail that takes longer than it may is judged by how far it came", async () => {
  const timeouts = { ...SMTP_TIMEOUTS, socketMs: 600_000, sendMs: 2_000 };
  const hasty = () => ({ timeouts });
  await using before = await setup({ behaviour: { kind: "silence", at: "rcpt" } }, hasty);
  await using after = await setup({ behaviour: { kind: "silence", at: "message" } }, hasty);

  const results = await Promise.all([before.send(), after.send()]);

  expect(results.map(({ kind }) => kind)).toEqual(["server_down", "unknown"]);
});

test("closing says goodbye and leaves no connection open", async () => {
  await using t = await setup();
  await Promise.all([t.send(), t.send(aMail("other@example.org"))]);
  expect(t.server.openConnections).toBe(2);

  await t.mailer[Symbol.asyncDispose]();

  await expect.poll(() => t.server.openConnections).toBe(0);
});
