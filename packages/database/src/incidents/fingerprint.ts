import { createHash } from "node:crypto";

/** What is known of a death when it is filed. */
export interface Death {
  readonly code: string | null;
  readonly message: string | null;
  readonly stack: string | null;
}

export interface Fingerprint {
  readonly fingerprint: string;
  /** The message without what differs from death to death. */
  readonly title: string;
}

const MAX_TITLE_LENGTH = 300;
const FRAMES = 3;
/** Past this a message only repeats what a remote sent; it also keeps the search short. */
const READ_LENGTH = 4_000;

/**
 * What differs between two deaths of one cause, most specific first: a date holds numbers, an address
 * holds a host. Each becomes a name in angle brackets, which no later rule matches.
 */
const PLACEHOLDERS: ReadonlyArray<readonly [RegExp, string]> = [
  [/\b[a-z][a-z0-9+.-]{1,30}:\/\/[^\s"'`<>)\]]+/gi, "<url>"],
  [/[^\s"'`<>@,;:()]{1,64}@[\p{L}\p{N}][\p{L}\p{N}.-]{0,253}/gu, "<mail>"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, "<uuid>"],
  [
    /\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?![\w-])/gi,
    "<date>",
  ],
  [
    /"[^"\n]*"|`[^`\n]*`|“[^”\n]*”|„[^“\n]*“|«[^»\n]*»|(?<![\p{L}\p{N}])'[^'\n]*'(?!\p{L})/gu,
    "<value>",
  ],
  [/\[[0-9a-f]*:[0-9a-f:.]+\](?::\d+)?/gi, "<address>"],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, "<address>"],
  [/\b(?:0x[0-9a-f]+|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,})\b/gi, "<hex>"],
  // A number of a name, such as utf8 or r2d2, is part of the name.
  [/(?<![\p{L}\p{N}_<])[+-]?\d+(?:[.,]\d+)*/gu, "<n>"],
];

/** One line of text in which uuids, numbers, quoted values and the like became placeholders. */
export function normalizeMessage(message: string): string {
  let text = message.slice(0, READ_LENGTH).replace(/\s+/g, " ").trim();
  for (const [pattern, name] of PLACEHOLDERS) text = text.replace(pattern, name);
  return text.slice(0, MAX_TITLE_LENGTH).trimEnd();
}

/**
 * The innermost frames of a stack that are the app's own, as `function file`: a new release moves lines,
 * and an update of a library moves its insides.
 */
export function topFrames(stack: string | null): string[] {
  if (stack === null) return [];
  const frames: string[] = [];
  for (const line of stack.slice(0, 4 * READ_LENGTH).split("\n")) {
    const [, call = "", place = ""] = /^\s*at (?:(.*?) \()?(.*?)\)?$/.exec(line) ?? [];
    const file = ownFile(place);
    if (file === undefined) continue;
    frames.push(`${call.replace(/^async /, "") || "-"} ${file}`);
    if (frames.length === FRAMES) break;
  }
  return frames;
}

/** From `apps/` or `packages/` on, or the last two parts, so that a checkout's place does not matter. */
function ownFile(place: string): string | undefined {
  if (/node_modules|^node:|^<anonymous>|^native/.test(place)) return undefined;
  const path = place
    .replace(/^file:\/\//, "")
    .replace(/(?::\d+){1,2}$/, "")
    .replaceAll("\\", "/");
  if (!path.includes("/")) return undefined;
  const own = /(?:^|\/)((?:apps|packages)\/.*)$/.exec(path)?.[1];
  // Built and run from source are the same code.
  return (own ?? path.split("/").slice(-2).join("/"))
    .replace("/dist/", "/src/")
    .replace(/\.[cm]?[jt]sx?$/, "");
}

/** What deaths of one cause have in common. Pure; equal for equal causes, whatever ids they hold. */
export function fingerprintOf(death: Death): Fingerprint {
  const message = normalizeMessage(death.message ?? "");
  const title = message || death.code || "died without a word";
  const cause = JSON.stringify([death.code, message, topFrames(death.stack)]);
  return { fingerprint: createHash("sha256").update(cause).digest("hex").slice(0, 32), title };
}
