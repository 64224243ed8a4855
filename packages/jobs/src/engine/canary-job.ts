/** The name of jobs that only show that a worker is served. */
export const CANARY = "ballast-canary";

/** BullMQ takes no colon in an id. */
export const canaryIdOf = (sender: string): string => `${CANARY}-${sender.replaceAll(":", "-")}`;

export const isCanary = ({ id, name }: { id?: string; name: string }): boolean =>
  name === CANARY && id?.startsWith(`${CANARY}-`) === true;
