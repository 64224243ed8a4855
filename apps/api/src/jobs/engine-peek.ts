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
  const ask = async (): Promise<EnginePeek> => {
    const [job, state] = await Promise.all([engine.find(queue, engineJobId), engine.state(queue)]);
    return { kind: "seen", job: job?.state, queue: state };
  };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<EnginePeek>((resolve) => {
    timer = setTimeout(() => resolve({ kind: "unreachable" }), DEADLINE_MS);
  });
  try {
    return await Promise.race([ask().catch((): EnginePeek => ({ kind: "unreachable" })), late]);
  } finally {
    clearTimeout(timer);
  }
}
