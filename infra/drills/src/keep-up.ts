import { setTimeout as pause } from "node:timers/promises";
import { runsByState } from "./count.ts";
import type { Stack } from "./stack/stack.ts";

/** Start a worker, and start it again whenever it ends, as an orchestrator does, until no run is alive. */
export async function keepUp(
  { db, start }: Stack,
  app: string,
  deadlineMs: number,
): Promise<{ starts: number; allOver: boolean }> {
  const until = performance.now() + deadlineMs;
  let worker = await start(app);
  for (let starts = 1; ; await pause(100)) {
    const { waiting = 0, started = 0 } = await runsByState(db);
    if (waiting + started === 0) return { starts, allOver: true };
    if (performance.now() > until) return { starts, allOver: false };
    if (!worker.hasEnded()) continue;
    worker = await start(app);
    starts += 1;
  }
}
