import type { Drill } from "./drill.ts";
import type { DrillOptions } from "./options.ts";
import type { Report } from "./report.ts";
import { NOT_FINISHED, type RunOptions, runDrill } from "./run-drill.ts";
import type { Sabotage } from "./sabotage/sabotage.ts";

/** Every protection that a drill claims to need, with the drill. */
const sabotagesOf = (
  drills: readonly Drill[],
  [nth, of]: DrillOptions["part"],
): ReadonlyArray<readonly [Drill, Sabotage]> =>
  drills
    .flatMap((drill) => drill.sabotages.map((sabotage) => [drill, sabotage] as const))
    .filter((_, index) => index % of === nth - 1);

/** Take each protection away and expect the drill to fail: a drill that cannot fail is worth nothing. */
export async function prove(
  { drills, part }: DrillOptions,
  around: RunOptions,
  report: Report,
): Promise<void> {
  for (const [drill, sabotage] of sabotagesOf(drills, part)) {
    if (around.stopping.aborted) return;
    report.begin(`${drill.name} without ${sabotage.without}`);
    const line = await runDrill(drill, { ...around, sabotage });
    // A stack that does not come up fails every drill, and proves as little as one that holds.
    const isFinished = !line.why?.some((reason) => reason.startsWith(NOT_FINISHED));
    const failed = line.status === "failed" && isFinished;
    report.line({
      ...line,
      drill: `${drill.name} without ${sabotage.without}`,
      ok: failed,
      status: failed ? "held" : "failed",
      why: [
        ...(failed
          ? []
          : ["the drill did not fail for its protection being gone: it proves nothing"]),
        ...(line.why ?? []),
      ],
    } as typeof line);
  }
}
