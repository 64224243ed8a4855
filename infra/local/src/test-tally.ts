import { writeFileSync } from "node:fs";
import type { Reporter, TestModule } from "vitest/node";

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: ReadonlyArray<{ readonly name: string; readonly reason: string }>;
}

/**
 * Counts what a run did and writes it, as JSON, to the file that BALLAST_TALLY_FILE names.
 * A file that could not be loaded and an error outside of any test count as failures.
 */
class TestTally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    const skipped: Array<{ name: string; reason: string }> = [];
    for (const module of modules) {
      failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === "passed") passed++;
        else if (result.state === "failed") failed++;
        else {
          const note = result.state === "skipped" ? result.note : undefined;
          const name = `${module.relativeModuleId} > ${test.fullName}`;
          skipped.push({ name, reason: note ?? `marked ${test.options.mode ?? "skip"}` });
        }
      }
    }
    const file = process.env["BALLAST_TALLY_FILE"];
    if (file) writeFileSync(file, JSON.stringify({ passed, failed, skipped } satisfies Tally));
  }
}

// biome-ignore lint/style/noDefaultExport: vitest takes a reporter file's default export
export default TestTally;
