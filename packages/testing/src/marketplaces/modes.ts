import type { ServerResponse } from "node:http";

/** How a marketplace treats its callers. */
export const marketplaceModes = [
  "up",
  /** 503, as a host says that is being maintained. */
  "unavailable",
  /** The connection breaks. */
  "reset",
  /** No answer, ever. */
  "hang",
  /** The right answer, late. */
  "slow",
  /** No credential is taken. */
  "auth-failing",
  /** Some requests get 503: the same ones for the same seed. */
  "flaky",
  /** 200 with a page of HTML. */
  "not-json",
  /** 200, and bytes that never end. */
  "endless",
  /** 200 with 50 MB. */
  "huge",
] as const;
export type MarketplaceMode = (typeof marketplaceModes)[number];

export const isMode = (mode: unknown): mode is MarketplaceMode =>
  marketplaceModes.some((known) => known === mode);

const FLAKY_SHARE = 0.3;
const DRIP_MS = 50;
const MIB = 1_048_576;

/** Misbehave as `mode` says; `false` where the request is to be answered after all. */
export function misbehave(
  mode: MarketplaceMode,
  response: ServerResponse,
  random: () => number,
): boolean {
  switch (mode) {
    case "up":
    case "slow":
    case "auth-failing":
      return false;
    case "flaky":
      if (random() >= FLAKY_SHARE) return false;
      unavailable(response);
      return true;
    case "unavailable":
      unavailable(response);
      return true;
    case "reset":
      response.socket?.destroy();
      return true;
    case "hang":
      return true;
    case "not-json":
      response.writeHead(200, { "Content-Type": "text/html" });
      response.end("<!doctype html><title>We are back soon</title>");
      return true;
    case "endless":
      drip(response);
      return true;
    case "huge":
      pour(response, 50);
      return true;
    default:
      return mode satisfies never;
  }
}

function unavailable(response: ServerResponse): void {
  response.writeHead(503, { "Content-Type": "text/html" });
  response.end("<h1>503 Service Unavailable</h1>");
}

function drip(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "application/json" });
  response.write("[");
  const timer = setInterval(() => response.write(" "), DRIP_MS);
  response.on("close", () => clearInterval(timer));
}

function pour(response: ServerResponse, mebibytes: number): void {
  response.writeHead(200, { "Content-Type": "application/json" });
  const chunk = Buffer.alloc(MIB, "a");
  let left = mebibytes;
  const more = () => {
    while (left > 0 && !response.destroyed) {
      left--;
      if (!response.write(chunk)) return void response.once("drain", more);
    }
    response.end();
  };
  response.on("error", () => {}); // the other side hung up, as it should
  more();
}
