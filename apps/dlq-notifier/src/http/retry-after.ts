/** A remote that asks for more is asked again sooner all the same; one hour misses no outage's end. */
const LONGEST_MS = 3_600_000;

/**
 * Milliseconds that a `Retry-After` asks for: whole seconds, or a date of HTTP.
 *
 * @returns `undefined` if there is none or it is neither
 */
export function retryAfterMs(header: string | undefined, nowMs = Date.now()): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Math.min(LONGEST_MS, Number(text) * 1_000);
  const at = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.min(LONGEST_MS, Math.max(0, at - nowMs));
}
