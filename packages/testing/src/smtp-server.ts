import { EventEmitter, once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer, type SMTPServerSession } from "smtp-server";

/** What the server does with the next mails. */
export type SmtpBehaviour =
  | { readonly kind: "accept" }
  /** Answer with `code` and `text`; at `message`, the whole message was read and is not kept. */
  | {
      readonly kind: "reply";
      readonly at: "greeting" | "mail" | "rcpt" | "message";
      readonly code: number;
      readonly text: string;
    }
  /**
   * Break the connection instead of answering: before its 354 at `greeting`, `rcpt` and `data`; after it
   * at `body`, in the middle, and at `message`, when it holds the whole mail and keeps it.
   */
  | { readonly kind: "drop"; readonly at: "greeting" | "rcpt" | "data" | "body" | "message" }
  /** Never answer while the connection stands; at `message`, the mail is kept. */
  | { readonly kind: "silence"; readonly at: "rcpt" | "message" };

export interface SmtpServerOptions {
  readonly behaviour?: SmtpBehaviour;
  /** Asked of every client; absent: nobody has to log in. */
  readonly login?: { readonly user: string; readonly pass: string };
  /** `true` offers STARTTLS with a certificate that nobody trusts. Default `false`. */
  readonly startTls?: boolean;
  /** The SIZE it announces. */
  readonly maxBytes?: number;
}

/** A mail the server took and would deliver. */
export interface ReceivedMail {
  readonly envelopeFrom: string;
  readonly envelopeTo: readonly string[];
  readonly raw: Buffer;
  readonly parsed: ParsedMail;
}

export interface SmtpServerDouble extends AsyncDisposable {
  /** `smtp://127.0.0.1:<port>`, with user and password if it asks for them. */
  readonly url: string;
  readonly port: number;
  /** In order of arrival. */
  readonly mails: readonly ReceivedMail[];
  /** Connections made so far. */
  readonly connections: number;
  /** Connections that stand now. */
  readonly openConnections: number;
  /** Behave so from now on; as a function, by the recipient (`""` where none was named yet). */
  behave(behaviour: SmtpBehaviour | ((recipient: string) => SmtpBehaviour)): void;
  /** Resolves when a client has come to where the server stays silent or drops, or has been answered. */
  reached(at: "rcpt" | "data" | "body" | "message"): Promise<void>;
  /** Resolves with the mails once there are `count`. */
  waitForMails(count: number): Promise<readonly ReceivedMail[]>;
  /** Break all connections that stand. */
  hangUp(): void;
}

const ACCEPT: SmtpBehaviour = { kind: "accept" };

/** Start a real SMTP server on a free port of loopback that misbehaves on demand. */
export async function startSmtpServer(options: SmtpServerOptions = {}): Promise<SmtpServerDouble> {
  const { login } = options;
  const mails: ReceivedMail[] = [];
  const sockets = new Map<number, Socket>();
  const events = new EventEmitter();
  let connections = 0;
  let behave: (recipient: string) => SmtpBehaviour = () => options.behaviour ?? ACCEPT;

  const drop = (session: SMTPServerSession) => sockets.get(session.remotePort)?.destroy();
  const recipientOf = (session: SMTPServerSession) => session.envelope.rcptTo[0]?.address ?? "";
  /** Do what the behaviour says about this point, if anything. @returns whether the client is dealt with */
  const deviate = (
    at: string,
    recipient: string,
    session: SMTPServerSession,
    done: (error?: Error | null) => void,
  ): boolean => {
    const behaviour = behave(recipient);
    events.emit(at);
    if (behaviour.kind === "accept" || behaviour.at !== at) return false;
    if (behaviour.kind === "drop") drop(session);
    if (behaviour.kind === "reply")
      done(Object.assign(new Error(behaviour.text), { responseCode: behaviour.code }));
    return true;
  };

  const server = new SMTPServer({
    authOptional: login === undefined,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    hideSTARTTLS: options.startTls !== true,
    ...(login === undefined ? { disabledCommands: ["AUTH"] } : {}),
    ...(options.maxBytes === undefined ? {} : { size: options.maxBytes }),
    onConnect(session, done) {
      if (!deviate("greeting", "", session, done)) done();
    },
    onAuth({ username, password }, _session, done) {
      if (username === login?.user && password === login?.pass) done(null, { user: username });
      else done(Object.assign(new Error("5.7.8 Authentication failed"), { responseCode: 535 }));
    },
    onMailFrom(_address, session, done) {
      if (!deviate("mail", "", session, done)) done();
    },
    onRcptTo({ address }, session, done) {
      if (!deviate("rcpt", address, session, done)) done();
    },
    onData(stream, session, done) {
      const recipient = recipientOf(session);
      const keep = async (raw: Buffer) => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          envelopeFrom: mailFrom === false ? "" : mailFrom.address,
          envelopeTo: rcptTo.map(({ address }) => address),
          raw,
          parsed: await simpleParser(raw),
        });
        events.emit("mail");
      };
      if (deviate("data", recipient, session, done)) return; // before the 354 goes out
      stream.once("data", () => deviate("body", recipient, session, done));
      buffer(stream)
        .then(async (raw) => {
          const { kind, ...behaviour } = behave(recipient);
          const atMessage = "at" in behaviour && behaviour.at === "message";
          if ("at" in behaviour && behaviour.at === "body") return;
          if (!(kind === "reply" && atMessage)) await keep(raw);
          if (!deviate("message", recipient, session, done)) done(null, "2.0.0 Ok: queued");
        })
        .catch(() => {}); // the client is gone
    },
  });
  server.on("error", () => {}); // broken connections are what this server is for
  server.server.on("connection", (socket: Socket) => {
    connections += 1;
    const { remotePort = 0 } = socket;
    sockets.set(remotePort, socket);
    socket.once("close", () => sockets.delete(remotePort));
  });
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  const account =
    login === undefined
      ? ""
      : `${encodeURIComponent(login.user)}:${encodeURIComponent(login.pass)}@`;

  return {
    url: `smtp://${account}127.0.0.1:${port}`,
    port,
    mails,
    get connections() {
      return connections;
    },
    get openConnections() {
      return sockets.size;
    },
    behave(next) {
      behave = typeof next === "function" ? next : () => next;
    },
    async reached(at) {
      await once(events, at, { signal: AbortSignal.timeout(DEADLINE_MS) });
    },
    async waitForMails(count) {
      const signal = AbortSignal.timeout(DEADLINE_MS);
      while (mails.length < count) await once(events, "mail", { signal });
      return mails;
    },
    hangUp() {
      for (const socket of sockets.values()) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.values()) socket.destroy();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
}

/** Waiting in a test ends here, with an error that says for what. */
const DEADLINE_MS = 60_000;
