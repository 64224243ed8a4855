/** Says why the process should be started anew; `undefined` while it is well. */
export type LivenessCheck = () => string | undefined;

export interface Liveness {
  /** Add a check; the same name again replaces it. */
  add(name: string, check: LivenessCheck): void;
  /** Name of each failing check, and why it fails. */
  failing(): Readonly<Record<string, string>>;
}

/** Hold what must be true of a process that is worth keeping. Alive as long as no check says otherwise. */
export function openLiveness(): Liveness {
  const checks = new Map<string, LivenessCheck>();
  return {
    add(name, check) {
      checks.set(name, check);
    },
    failing() {
      const reasons = [...checks].map(([name, check]) => [name, check()] as const);
      return Object.fromEntries(
        reasons.flatMap(([name, reason]) => (reason === undefined ? [] : [[name, reason]])),
      );
    },
  };
}
