import { constants } from "node:fs";
import { access, mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer, { type Browser } from "puppeteer";
import { lastWords } from "./last-words.ts";

export interface BrowserOptions {
  /** Chromium's headless shell, or Chromium. */
  readonly executablePath: string;
  /** `LD_LIBRARY_PATH` for the browser alone. */
  readonly libraryPath?: string;
  /** `FONTCONFIG_FILE` for the browser alone. */
  readonly fontconfigFile?: string;
  /** Chromium's own sandbox. Default: on, unless the process runs as root, where Chromium refuses it. */
  readonly sandbox?: boolean;
  /** Longest any single answer of the browser may take. */
  readonly protocolTimeoutMs: number;
}

/** A browser process of ours and everything that must go with it. */
export interface OwnBrowser {
  readonly browser: Browser;
  readonly pid: number;
  /** Settles when the process has ended, whoever ended it. */
  readonly ended: Promise<void>;
  /** End it at once, with its renderers. */
  kill(): void;
  /** End it and remove its profile; repeatable. */
  close(): Promise<void>;
}

const LAUNCH_TIMEOUT_MS = 15_000;
const CLOSE_TIMEOUT_MS = 3_000;
/** Names whose profile it is: this machine's (containers may share a temporary folder) and process's. */
const PROFILE_PREFIX = `ballast-chromium-${hostname()}-`;

/**
 * Network is off in three places: JavaScript and requests per page (`firewall.ts`), and here a
 * proxy that answers nobody, also for loopback, with no name resolved. Port 9 is `discard`.
 */
const NO_NETWORK = [
  "--proxy-server=http://127.0.0.1:9",
  "--proxy-bypass-list=<-loopback>",
  "--host-resolver-rules=MAP * ~NOTFOUND",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-sync",
  "--no-pings",
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
];

const UNWANTED = [
  "Translate",
  "OptimizationHints",
  "MediaRouter",
  "AcceptCHFrame",
  "DialMediaRouteProvider",
  "RenderDocument", // a new frame for each document and each rest costs more than the print of a page
];

/** The whole command line: neither Puppeteer's defaults nor those of a packager. */
const flags = (profile: string, sandbox: boolean): string[] => [
  "--headless",
  ...(sandbox ? [] : ["--no-sandbox", "--disable-setuid-sandbox"]),
  ...NO_NETWORK,
  `--user-data-dir=${profile}`,
  "--disable-gpu",
  "--disable-dev-shm-usage", // containers give /dev/shm 64 MB
  "--disable-breakpad",
  "--disable-crash-reporter",
  "--disable-extensions",
  "--disable-default-apps",
  "--disable-hang-monitor",
  "--disable-renderer-backgrounding",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  `--disable-features=${UNWANTED.join(",")}`,
  "--font-render-hinting=none", // hinted advances differ from the printed ones
  "--force-color-profile=srgb",
  "--hide-scrollbars",
  "--mute-audio",
  "--no-first-run",
  "--no-default-browser-check",
  "--password-store=basic",
  "about:blank",
];

/** Start a browser that answers over a pipe, so that it ends when this process does, however that ends. */
export async function launchBrowser(options: BrowserOptions): Promise<OwnBrowser> {
  const { executablePath, libraryPath, fontconfigFile, protocolTimeoutMs } = options;
  // Puppeteer leaves a file that is there and may not be executed to nobody: an uncaught error.
  await access(executablePath, constants.X_OK);
  const sandbox = options.sandbox ?? process.getuid?.() !== 0;
  await removeAbandonedProfiles();
  const profile = await mkdtemp(join(tmpdir(), `${PROFILE_PREFIX}${process.pid}-`));
  const args = flags(profile, sandbox);
  // Nothing of our environment: a page that takes over a renderer finds no secret there.
  const env = {
    HOME: profile,
    TMPDIR: profile,
    LANG: "C.UTF-8",
    ...(libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath }),
    ...(fontconfigFile === undefined ? {} : { FONTCONFIG_FILE: fontconfigFile }),
  };
  let browser: Browser;
  try {
    browser = await puppeteer.launch({
      executablePath,
      pipe: true,
      ignoreDefaultArgs: true,
      args,
      env,
      timeout: LAUNCH_TIMEOUT_MS,
      protocolTimeout: protocolTimeoutMs,
      defaultViewport: null,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  } catch (error) {
    const words = await lastWords(executablePath, args, env);
    await removeProfile(profile);
    throw new Error([String(error), words].filter(Boolean).join("; "), { cause: error });
  }
  const child = browser.process();
  const pid = child?.pid;
  if (child === null || pid === undefined) throw new Error("the browser has no process");
  // Puppeteer listens until it has closed; a pipe with something unread breaks after that.
  for (const pipe of child.stdio) pipe?.on("error", () => {});

  const ended = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
  const kill = () => {
    try {
      process.kill(-pid, "SIGKILL"); // its process group: renderers and zygotes too
    } catch {
      child.kill("SIGKILL");
    }
  };
  let closed: Promise<void> | undefined;
  const close = async () => {
    const timer = setTimeout(kill, CLOSE_TIMEOUT_MS);
    await Promise.allSettled([browser.close(), ended]);
    clearTimeout(timer);
    kill(); // stragglers of its group
    await removeProfile(profile);
  };
  return {
    browser,
    pid,
    ended,
    kill,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

/** The processes of a browser may still write for a moment after it ended. */
const removeProfile = (profile: string) =>
  rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });

/** Profiles of processes that were killed stay behind. */
async function removeAbandonedProfiles(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PROFILE_PREFIX)) continue;
    // To its end: a machine "pdf" must not take "pdf-7-123-x8Fw2a" for one of its process 7.
    const owner = /^(\d+)-[A-Za-z0-9]{6}$/.exec(name.slice(PROFILE_PREFIX.length))?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    await removeProfile(join(tmpdir(), name)).catch(() => {}); // another user's: not ours to remove
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
