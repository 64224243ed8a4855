import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { answerMailRequest } from "./mail-web.ts";
import { Mailbox } from "./mailbox.ts";

export interface MailCatcher extends AsyncDisposable {
  readonly smtpUrl: string;
  /** A page that lists the mails; `/api/mails` beneath it lists them as JSON. */
  readonly webUrl: string;
  readonly mailbox: Mailbox;
}

const maxMailBytes = 40 * 1024 * 1024;

/** Take every mail for anybody on a free port of loopback, and show it on a web page. Nothing leaves the machine. */
export async function startMailCatcher(mailbox = new Mailbox()): Promise<MailCatcher> {
  const smtp = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    hideSTARTTLS: true, // on loopback there is nobody to hide from
    size: maxMailBytes,
    onAuth: (_auth, _session, done) => done(null, { user: "anybody" }),
    onData(stream, session, done) {
      buffer(stream)
        .then(async (source) => {
          const { mailFrom, rcptTo } = session.envelope;
          mailbox.add({
            source,
            parsed: await simpleParser(source),
            envelopeFrom: mailFrom ? mailFrom.address : "",
            envelopeTo: rcptTo.map(({ address }) => address),
          });
          done();
        })
        .catch(done);
    },
  });
  smtp.on("error", () => {}); // a client that hangs up is its own problem
  const web = createServer((request, response) => answerMailRequest(mailbox, request, response));

  await new Promise<void>((ready, failed) => {
    smtp.server.once("error", failed);
    smtp.listen(0, "127.0.0.1", ready);
  });
  await new Promise<void>((ready, failed) => {
    web.once("error", failed);
    web.listen(0, "127.0.0.1", ready);
  });
  const portOf = (server: { address(): AddressInfo | string | null }) =>
    (server.address() as AddressInfo).port;

  return {
    smtpUrl: `smtp://127.0.0.1:${portOf(smtp.server)}`,
    webUrl: `http://127.0.0.1:${portOf(web)}`,
    mailbox,
    async [Symbol.asyncDispose]() {
      web.closeAllConnections();
      await Promise.all([
        new Promise<void>((closed) => web.close(() => closed())),
        new Promise<void>((closed) => smtp.close(() => closed())),
      ]);
    },
  };
}
