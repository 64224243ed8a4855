/** The backoff of jobs that this runtime adds: it waits as outcomes say, and tells them from other teams' jobs. */
export const OURS = { type: "ballast" } as const;
/** The same for a job of another team, whose own backoff gives way to its contract's. */
export const IMPOSED = { type: "ballast-imposed" } as const;

export const isOurs = ({ backoff }: { readonly backoff?: unknown }): boolean =>
  typeof backoff === "object" &&
  backoff !== null &&
  "type" in backoff &&
  backoff.type === OURS.type;

/** The same of options as Redis keeps them, which may be no JSON at all. */
export const sayOurs = (options: string | null | undefined): boolean =>
  options?.includes(`"backoff":${JSON.stringify(OURS)}`) ?? false;
