import type { RunView } from "@ballast/database";
import type { Engine, EngineJobState, QueueState } from "@ballast/jobs";

/** What the queue engine says of one run; it may be away, and then nobody waits for it. */
export type EnginePeek =
  | {
      readonly kind: "seen";
      /** `undefined`: the engine does not know it. */
      readonly job: EngineJobState["state"] | undefined;
      readonly queue: QueueState;
    }
  | { readonly kind: "unreachable" };

/** A status page that hangs is worse than one that says less. */
const DEADLINE_MS = 300;

/** Ask the engine about a run, for 300 ms at most. Never throws. */
export async function peekEngine(
  engine: Pick<Engine, "find" | "state">,
  { queue, engineJobId }: RunView,
): Promise<EnginePeek> {
  const asked = Promise.all([engine.find(queue, engineJobId), engine.state(queue)]);
  const seen = await inTime(asked);
  return seen === undefined
    ? { kind: "unreachable" }
    : { kind: "seen", job: seen[0]?.state, queue: seen[1] };
}

/** Ask the engine about a queue, for 300 ms at most; `undefined` if it does not answer. */
export const peekQueue = (
  engine: Pick<Engine, "state">,
  queue: string,
): Promise<QueueState | undefined> => inTime(engine.state(queue));

async function inTime<T>(asked: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), DEADLINE_MS);
  });
  try {
    return await Promise.race([asked.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
