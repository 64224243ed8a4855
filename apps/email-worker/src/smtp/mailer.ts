import { classify, type SendResult, type SmtpFailure } from "./classify.ts";
import { type OutgoingMail, openSession, type Session } from "./session.ts";
import type { SmtpSettings } from "./settings.ts";

/** Sends mails over a few kept connections. */
export interface Mailer extends AsyncDisposable {
  /**
   * Send one mail, at most once.
   *
   * @param onAsked called after the server's 354, before the first byte of the message leaves; if it
   * throws, none does
   * @returns what became of it; where the server's 354 was seen and no reply, `unknown`
   * @throws the abort's reason, if `signal` aborted before the server's 354: nothing was handed over
   */
  send(mail: OutgoingMail, signal: AbortSignal, onAsked?: () => void): Promise<SendResult>;
}

/** Servers tend to close sessions after some hundred mails; leaving first costs no mail its turn. */
const MAILS_PER_SESSION = 100;
/** RFC 5321 lets a server hang up after 5 minutes of silence. */
const IDLE_MS = 60_000;

/** Connections to the server, by what they do. */
export interface Connections {
  readonly busy: number;
  readonly idle: number;
}

/**
 * Open nothing yet: the first mail connects, so a server that is down does not keep the process from
 * starting.
 *
 * @param onChange told whenever mails begin and end
 */
export function createMailer(
  settings: SmtpSettings,
  onChange: (connections: Connections) => void = () => {},
): Mailer {
  const turns = new Turns(settings.maxConnections);
  const idle = new Idle();
  let busy = 0;
  const changed = (by: 1 | -1) => {
    busy += by;
    onChange({ busy, idle: idle.size });
  };

  return {
    async send(mail, signal, onAsked = () => {}) {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(settings.timeouts.sendMs)]);
      using turn = await turns.take(deadline);
      if (turn === undefined) {
        signal.throwIfAborted();
        return {
          kind: "server_down",
          reason: "no connection to the mail server came free in time",
        };
      }
      changed(1);
      try {
        return await attempt(mail, signal, deadline, onAsked);
      } finally {
        changed(-1);
      }
    },
    [Symbol.asyncDispose]: () => idle[Symbol.asyncDispose](),
  };

  async function attempt(
    mail: OutgoingMail,
    signal: AbortSignal,
    deadline: AbortSignal,
    onAsked: () => void,
  ): Promise<SendResult> {
    for (;;) {
      const kept = idle.take();
      const session = kept ?? (await open(settings, deadline));
      if ("kind" in session) {
        signal.throwIfAborted();
        return session;
      }
      const { result, untouched, silent } = await session.send(mail, deadline, onAsked);
      keep(session);
      if (untouched && silent) {
        signal.throwIfAborted();
        // The server hung up on an idle connection: that says nothing about this mail.
        if (kept !== undefined && result.kind === "server_down" && !deadline.aborted) continue;
      }
      return result;
    }
  }

  function keep(session: Session): void {
    if (!session.open) return;
    if (session.sent < MAILS_PER_SESSION) idle.put(session);
    else void session[Symbol.asyncDispose](); // says QUIT; no mail waits for the answer
  }
}

const open = (settings: SmtpSettings, signal: AbortSignal): Promise<Session | SendResult> =>
  openSession(settings, signal).catch((error: SmtpFailure) => classify(error, "session"));

/** Sessions that wait for the next mail; the last used goes out first, so that the others may end. */
class Idle implements AsyncDisposable {
  readonly #sessions: { readonly session: Session; readonly timer: NodeJS.Timeout }[] = [];
  #closed = false;

  get size(): number {
    return this.#sessions.filter(({ session }) => session.open).length;
  }

  take(): Session | undefined {
    for (;;) {
      const last = this.#sessions.pop();
      if (last === undefined) return undefined;
      clearTimeout(last.timer);
      if (last.session.open) return last.session;
    }
  }

  put(session: Session): void {
    if (this.#closed) {
      void session[Symbol.asyncDispose]();
      return;
    }
    const timer = setTimeout(() => {
      const at = this.#sessions.findIndex((entry) => entry.session === session);
      if (at >= 0) this.#sessions.splice(at, 1);
      void session[Symbol.asyncDispose]();
    }, IDLE_MS);
    timer.unref();
    this.#sessions.push({ session, timer });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const sessions = this.#sessions.splice(0);
    for (const { timer } of sessions) clearTimeout(timer);
    await Promise.all(sessions.map(({ session }) => session[Symbol.asyncDispose]()));
  }
}

/** At most `size` mails at a time; the rest wait in line. */
class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(size: number) {
    this.#free = size;
  }

  /** Wait for a turn; `undefined` if `deadline` came first. Disposing the turn passes it on. */
  async take(deadline: AbortSignal): Promise<Disposable | undefined> {
    if (deadline.aborted) return undefined;
    if (this.#free > 0) this.#free -= 1;
    else if (!(await this.#line(deadline))) return undefined;
    return { [Symbol.dispose]: () => this.#pass() };
  }

  #line(deadline: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const onDeadline = () => {
        this.#waiting.splice(this.#waiting.indexOf(granted), 1);
        resolve(false);
      };
      const granted = () => {
        deadline.removeEventListener("abort", onDeadline);
        resolve(true);
      };
      deadline.addEventListener("abort", onDeadline, { once: true });
      this.#waiting.push(granted);
    });
  }

  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
