/**
 * Time between two messages of a service's log, in milliseconds, by the service's own clock: what
 * it promises about itself, without the time that a busy machine takes to tell others.
 *
 * @param log lines of JSON, as the services write them
 * @throws if a message is not there
 */
export function msBetween(log: string, from: string, to: string): number {
  const at = (message: string) => {
    const line = log.split("\n").find((text) => text.includes(`"msg":"${message}"`));
    if (line === undefined) throw new Error(`not logged: ${message}; ${log}`);
    return Date.parse(JSON.parse(line).time);
  };
  return at(to) - at(from);
}
