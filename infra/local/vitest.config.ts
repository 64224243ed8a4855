import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

const root = join(import.meta.dirname, "../..");

// Workspace packages resolve to their TypeScript sources, so tests need no build.
const conditions = ["@ballast/source", "module", "node", "default"];
const members = [
  ...["packages", "apps"].flatMap((dir) =>
    readdirSync(join(root, dir)).map((name) => `${dir}/${name}`),
  ),
  "infra/local",
  "infra/docker",
  "infra/drills",
  "infra/bench",
  "infra/grafana",
].filter((member) => existsSync(join(root, member, "test")));

export default defineConfig({
  root,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    passWithNoTests: false,
    // Deadlines here end what hangs. None measures: a busy machine may take many times as long.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    // Most of a test here is waiting for a server, so more files than cores run at once.
    maxWorkers: 4,
    // Node imports the sources by itself, once for all files of a worker: a third of the processor time.
    isolate: false,
    experimental: { viteModuleRunner: false },
    setupFiles: [join(root, "packages/testing/src/after-file.ts")],
    projects: members.map((member) => ({
      extends: true as const, // without it the conditions above are not inherited
      test: {
        name: member,
        root: join(root, member),
        include: ["test/**/*.test.ts"],
        ...(member === "infra/local" && { testTimeout: 600_000 }), // whole stacks start here
      },
    })),
  },
});
