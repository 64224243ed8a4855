import pg from "pg";
import type { DatabaseLog } from "./database.ts";
import { endOnSilence, KEEP_ALIVE, SERVER_KEEP_ALIVE } from "./silence.ts";

type OnMessage = (payload: string) => void;

export interface Listener extends AsyncDisposable {
  listen(channel: string, onMessage: OnMessage): Promise<AsyncDisposable>;
}

const FIRST_RECONNECT_MS = 100;
const LAST_RECONNECT_MS = 5_000;
/** All it is asked is answered at once, and twice this long nobody notices that it hears nothing. */
const LONGEST_SILENCE_MS = 10_000;

/** Hold one connection for all `LISTEN`s; it opens with the first listener and reconnects by itself. */
export function openListener(
  url: string,
  applicationName: string,
  { silenceMs, log }: { readonly silenceMs: number; readonly log: DatabaseLog | undefined },
): Listener {
  const channels = new Map<string, Set<OnMessage>>();
  const closing = new AbortController();
  let current: Promise<pg.Client> | undefined;
  let reconnecting: Promise<void> | undefined;

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: url,
      application_name: applicationName,
      connectionTimeoutMillis: 5_000,
      options: SERVER_KEEP_ALIVE,
      ...KEEP_ALIVE,
    });
    client.on("notification", ({ channel, payload }) => tell(channel, payload ?? ""));
    client.on("error", (error) => {
      if (!closing.signal.aborted) log?.warn({ err: error }, "listening connection lost");
    });
    await client.connect();
    endOnSilence(client, Math.min(silenceMs, LONGEST_SILENCE_MS), () => {});
    client.on("end", () => {
      current = undefined;
      if (!closing.signal.aborted && channels.size > 0) reconnecting ??= reconnect();
    });
    return client;
  }

  function tell(channel: string, payload: string): void {
    for (const onMessage of channels.get(channel) ?? []) onMessage(payload);
  }

  async function reconnect(): Promise<void> {
    for (let waitMs = FIRST_RECONNECT_MS; ; waitMs = Math.min(waitMs * 2, LAST_RECONNECT_MS)) {
      await pause(waitMs, closing.signal);
      if (closing.signal.aborted || channels.size === 0) break;
      try {
        const client = await connect();
        current = Promise.resolve(client);
        for (const channel of channels.keys()) await client.query(listenTo(channel));
        for (const channel of channels.keys()) tell(channel, "");
        break;
      } catch (error) {
        log?.warn({ err: error, waitMs }, "listening connection not restored yet");
      }
    }
    reconnecting = undefined;
  }

  return {
    listen: async (channel, onMessage) => {
      closing.signal.throwIfAborted();
      await reconnecting;
      const listeners = channels.get(channel) ?? new Set();
      channels.set(channel, listeners.add(onMessage));
      try {
        current ??= connect();
        await (await current).query(listenTo(channel));
      } catch (error) {
        current = undefined;
        forget();
        throw error;
      }
      function forget(): void {
        listeners.delete(onMessage);
        if (listeners.size === 0) channels.delete(channel);
      }
      // The connection stays subscribed: an unheard channel costs less than a race with a new listener.
      return { [Symbol.asyncDispose]: async () => forget() };
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      channels.clear();
      await reconnecting;
      const client = await current?.catch(() => undefined);
      await client?.end();
    },
  };
}

const listenTo = (channel: string) => `LISTEN ${pg.escapeIdentifier(channel)}`;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
