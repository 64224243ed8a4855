import { Readable, Transform } from "node:stream";
import SMTPConnection from "nodemailer/lib/smtp-connection";
import { classify, type SendResult, type SmtpFailure } from "./classify.ts";
import { isLoopback, type SmtpSettings } from "./settings.ts";

/** One mail as it goes over the wire: one sender, one recipient, the finished message, each line ended by CRLF. */
export interface OutgoingMail {
  readonly from: string;
  readonly to: string;
  readonly message: readonly Buffer[];
}

/** One greeted, encrypted, logged-in connection. Sends one mail at a time. */
export interface Session extends AsyncDisposable {
  /** Mails it has sent. */
  readonly sent: number;
  /** False once it broke or was closed. */
  readonly open: boolean;
  /**
   * Send one mail and name what became of it; never throws.
   *
   * Once the server said 354, an abort cannot call the mail back: it is then `unknown`.
   *
   * @param onAsked called at that moment; if it throws, nothing of the message leaves
   */
  send(mail: OutgoingMail, signal: AbortSignal, onAsked: () => void): Promise<SentBySession>;
}

export interface SentBySession {
  readonly result: SendResult;
  /** True if not a byte of the message left this process. */
  readonly untouched: boolean;
  /** True if the server answered nothing at all, as a connection that had died in silence. */
  readonly silent: boolean;
}

/** Pieces handed to the socket: small enough to let other mails in between. */
const PIECE_BYTES = 64 * 1024;
/** A server has this long to answer QUIT. */
const QUIT_MS = 2_000;

/**
 * Connect, encrypt as the settings ask, log in.
 *
 * @throws {SmtpFailure} from nodemailer; the abort's reason if `signal` aborted
 */
export async function openSession(settings: SmtpSettings, signal: AbortSignal): Promise<Session> {
  signal.throwIfAborted();
  const connection = new SMTPConnection({
    host: settings.host,
    port: settings.port,
    secure: settings.implicitTls,
    requireTLS: settings.tls === "required" && !settings.implicitTls,
    opportunisticTLS: settings.tls === "opportunistic",
    ignoreTLS: settings.tls === "off",
    tls: { minVersion: "TLSv1.2" },
    connectionTimeout: settings.timeouts.connectMs,
    dnsTimeout: settings.timeouts.connectMs,
    greetingTimeout: settings.timeouts.greetingMs,
    socketTimeout: settings.timeouts.socketMs,
    socketCloseTimeout: 1_000,
  });
  connection.on("error", () => {}); // whoever asks something hears of it; an idle one just ends
  try {
    await answer(connection, signal, (done) => connection.connect((error) => done(error)));
    await login(connection, settings, signal);
  } catch (error) {
    connection.close();
    throw error;
  }
  return new NodemailerSession(connection);
}

async function login(
  connection: SMTPConnection,
  { login: account, tls, host }: SmtpSettings,
  signal: AbortSignal,
): Promise<void> {
  if (account === undefined) return;
  if (!connection.secure && tls !== "off" && !isLoopback(host))
    throw new Error(
      `${host} offers no TLS, and the password is not sent without it; use a server that does, or set SMTP_TLS=off`,
    );
  if (!connection.allowsAuth)
    throw new Error(
      `${host} offers no AUTH; remove user and password from SMTP_URL if it needs none`,
    );
  await answer(connection, signal, (done) => connection.login({ ...account }, done));
}

class NodemailerSession implements Session {
  readonly #connection: SMTPConnection;
  #sent = 0;

  constructor(connection: SMTPConnection) {
    this.#connection = connection;
  }

  get sent(): number {
    return this.#sent;
  }

  get open(): boolean {
    return !this.#connection.destroyed;
  }

  async send(
    { from, to, message }: OutgoingMail,
    signal: AbortSignal,
    onAsked: () => void,
  ): Promise<SentBySession> {
    // nodemailer reads the message only after the server's 354, so a message read from is one the
    // server may hold. This is known per mail, which the lines of a protocol log are not.
    let asked = false;
    const body = new Message(message, () => {
      onAsked();
      asked = true;
    });
    const size = message.reduce((sum, { length }) => sum + length, 0);
    try {
      const info = await answer<{ response: string }>(this.#connection, signal, (done) =>
        this.#connection.send({ from, to: [to], size }, body, done),
      );
      this.#sent += 1;
      return {
        result: { kind: "accepted", response: info.response },
        untouched: false,
        silent: false,
      };
    } catch (error) {
      body.destroy();
      const failure = error as SmtpFailure;
      const result = classify(failure, asked ? "message" : "envelope");
      // A refused envelope leaves a sound session behind; anything later does not.
      if (asked || !(await this.#reset(signal))) this.#connection.close();
      return { result, untouched: !asked, silent: failure.response === undefined };
    }
  }

  async #reset(signal: AbortSignal): Promise<boolean> {
    if (!this.open || signal.aborted) return false;
    return await answer(this.#connection, signal, (done) => this.#connection.reset(done)).then(
      () => true,
      () => false,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.open) return;
    const signal = AbortSignal.timeout(QUIT_MS);
    await answer(this.#connection, signal, () => this.#connection.quit()).catch(() => {});
  }
}

/** Ask the connection for one thing; settles also where nodemailer forgets the callback: on break and on close. */
function answer<T>(
  connection: SMTPConnection,
  signal: AbortSignal,
  ask: (done: (error?: Error | null, value?: T) => void) => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = () => {
    connection.close();
    reject(signal.reason);
  };
  // "end" may come just before the callback with the server's last words, so it waits a turn.
  const onEnd = () => setImmediate(() => reject(new Error("the connection was closed")));
  signal.addEventListener("abort", onAbort, { once: true });
  connection.once("error", reject);
  connection.once("end", onEnd);
  if (signal.aborted) onAbort();
  else ask((error, value) => (error ? reject(error) : resolve(value as T)));
  return promise.finally(() => {
    signal.removeEventListener("abort", onAbort);
    connection.off("error", reject);
    connection.off("end", onEnd);
  });
}

/** What nodemailer pipes to the server. */
class Message extends Readable {
  readonly #parts: readonly Buffer[];
  readonly #onAsked: () => void;

  constructor(parts: readonly Buffer[], onAsked: () => void) {
    super();
    this.#parts = parts;
    this.#onAsked = onAsked;
  }

  /** Nodemailer looks at each byte, to double a dot that begins a line; what holds none goes past that. */
  override pipe<Stream extends NodeJS.WritableStream>(stream: Stream): Stream {
    try {
      this.#onAsked();
    } catch (error) {
      this.destroy(error as Error);
      return stream;
    }
    const past = stream instanceof Transform && !this.#parts.some(hasLineWithDot);
    const parts = past ? withoutLastLineEnd(this.#parts) : this.#parts; // it ends what it saw nothing of with one
    for (const part of parts)
      for (const piece of piecesOf(part)) past ? stream.push(piece) : stream.write(piece);
    stream.end();
    return stream;
  }
}

const hasLineWithDot = (part: Buffer): boolean =>
  part.includes(".") && (part[0] === 0x2e || part.includes("\n.") || part.includes("\r."));

const CRLF = "\r\n";

function withoutLastLineEnd(parts: readonly Buffer[]): Buffer[] {
  const last = parts.at(-1);
  if (last?.subarray(-CRLF.length).toString() !== CRLF) return [...parts];
  return [...parts.slice(0, -1), last.subarray(0, -CRLF.length)];
}

function* piecesOf(part: Buffer): Generator<Buffer> {
  for (let start = 0; start < part.length; start += PIECE_BYTES)
    yield part.subarray(start, start + PIECE_BYTES);
}
