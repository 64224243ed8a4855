import type { HTTPRequest, Page } from "puppeteer";

/**
 * Let a page have nothing but itself: no JavaScript, no request but for `data:`.
 *
 * @param onRefused called with the scheme of each refused request; never with its address, which
 * may hold what somebody tried to carry out
 */
export async function closeNetwork(page: Page, onRefused: (scheme: string) => void): Promise<void> {
  await page.setJavaScriptEnabled(false);
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    if (request.isInterceptResolutionHandled()) return;
    const verdict = isOwn(request.url()) ? request.continue() : refuse(request, onRefused);
    verdict.catch(() => {}); // the page went away meanwhile, and its request with it
  });
}

/** `about:blank` is where a page rests between two documents. */
const isOwn = (url: string): boolean => url.startsWith("data:") || url === "about:blank";

function refuse(request: HTTPRequest, onRefused: (scheme: string) => void): Promise<void> {
  onRefused(schemeOf(request.url()));
  return request.abort("blockedbyclient");
}

const KNOWN_SCHEMES: ReadonlySet<string> = new Set([
  "http",
  "https",
  "file",
  "ftp",
  "blob",
  "ws",
  "wss",
]);

/** Schemes label a metric, so they are few. */
function schemeOf(url: string): string {
  const scheme = url.slice(0, Math.max(0, url.indexOf(":"))).toLowerCase();
  return KNOWN_SCHEMES.has(scheme) ? scheme : "other";
}
