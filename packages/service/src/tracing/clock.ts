/** A wall clock that is further off than this was set anew, or the machine slept. */
const MAX_DRIFT_MS = 20;

let epochMs = Date.now() - performance.now();

/** The time in milliseconds since 1970, with fractions: `Date.now()` would begin a child before its parent. */
export function nowMs(): number {
  const wallMs = Date.now();
  const ms = epochMs + performance.now();
  if (Math.abs(wallMs - ms) <= MAX_DRIFT_MS) return ms;
  epochMs += wallMs - ms;
  return wallMs;
}
