import { Cron } from "croner";

/** When something recurs: five fields of cron, told in a time zone of the IANA database. */
export interface Times {
  readonly cron: string;
  readonly timeZone: string;
}

/**
 * The first tick after a moment. A time of the day that the clock skips in spring comes as soon as it has been skipped;
 * one that it shows twice in autumn comes once.
 *
 * @throws {RangeError} if there is none, as on a 30th of February
 */
export function tickAfter(times: Times, moment: Date): Date {
  const tick = cronOf(times).nextRun(moment);
  if (tick === null) throw new RangeError(`${times.cron} in ${times.timeZone} never comes`);
  return tick;
}

/** The last tick that is not after a moment; `undefined` if none was. */
export function tickUpTo(times: Times, moment: Date): Date | undefined {
  // What comes before the second after it: of a part of a second more would be seen than has come.
  const second = Math.floor(moment.getTime() / 1_000) * 1_000;
  const [tick] = cronOf(times).previousRuns(1, new Date(second + 1_000));
  return tick;
}

export function hasTicks(times: Times): boolean {
  try {
    tickAfter(times, new Date());
    return true;
  } catch {
    return false;
  }
}

const cronOf = ({ cron, timeZone }: Times): Cron =>
  new Cron(cron, { timezone: timeZone, mode: "5-part" });
