import type { Alert } from "./alert-message.ts";

/**
 * Say why an alert is no longer to be sent, if later ones of its incident made it untrue.
 *
 * A channel believes what it hears last: a trigger after the resolution pages for ever, and a resolution
 * after the return ends a page that is live. A resolution is sent even where nothing before it was, since an
 * attempt whose answer was lost may have been heard.
 */
export function overtakenBy({
  kind,
  state,
  laterKinds,
}: Pick<Alert, "kind" | "state" | "laterKinds">): string | undefined {
  // An operator reopens without an alert.
  const isLive = state === "open" || state === "ticketed";
  if (kind === "resolved")
    return isLive || laterKinds.includes("reopened") ? "the incident came back since" : undefined;
  return !isLive && laterKinds.at(-1) === "resolved"
    ? "the incident was resolved since"
    : undefined;
}
