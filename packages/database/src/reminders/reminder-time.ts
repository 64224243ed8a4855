const MINUTE_MS = 60_000;

/**
 * The moment of a full hour on a calendar day in a time zone. One that the clock skips in spring is the same time
 * after the change; one that it shows twice in autumn is the first.
 *
 * @param day `YYYY-MM-DD`
 */
export function hourOn(day: string, hour: number, timeZone: string): Date {
  const asIfUtc = Date.parse(`${day}T${String(hour).padStart(2, "0")}:00:00Z`);
  // The offset is that of the moment looked for, which is not known yet: try those around it.
  const offsets = [-1, 1].map((side) =>
    offsetMs(new Date(asIfUtc + side * 24 * 60 * MINUTE_MS), timeZone),
  );
  const candidates = offsets.map((offset) => new Date(asIfUtc - offset)).sort((a, b) => +a - +b);
  const exact = candidates.find((moment) => offsetMs(moment, timeZone) === asIfUtc - +moment);
  return exact ?? (candidates.at(-1) as Date);
}

/**
 * The calendar day, `YYYY-MM-DD`. Told here, where the zone's name was checked: PostgreSQL reads `+05:30` with
 * its sign turned, takes `IST` for Israel's time, and does not know all that this runtime does.
 */
export function dayIn(timeZone: string, now: Date): string {
  const format = new Intl.DateTimeFormat("en", {
    timeZone,
    calendar: "gregory",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  return `${parts.get("year")}-${parts.get("month")}-${parts.get("day")}`;
}

/** `day` moved by whole days, `YYYY-MM-DD`. */
export function dayPlus(day: string, days: number): string {
  const moved = new Date(`${day}T00:00:00Z`);
  moved.setUTCDate(moved.getUTCDate() + days);
  return moved.toISOString().slice(0, 10);
}

/** What the zone's clock is ahead of UTC at a moment. */
function offsetMs(moment: Date, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en", {
    timeZone,
    calendar: "gregory",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(moment);
  const at = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const shown = Date.UTC(
    at("year"),
    at("month") - 1,
    at("day"),
    at("hour"),
    at("minute"),
    at("second"),
  );
  return shown - Math.floor(moment.getTime() / 1_000) * 1_000;
}
