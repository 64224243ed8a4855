import { appendFileSync, cpSync, globSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "@ballast/local";
import { expect, test } from "vitest";
import { affectedImages } from "../src/affected.ts";
import { run } from "../src/command.ts";
import { readDockerfile } from "../src/dockerfile.ts";
import { imagesOf } from "../src/image.ts";

/** What turbo knows the workspace by, and one file of each kind that a commit may change. */
const FILES = [
  "package.json",
  "pnpm-*.yaml",
  "turbo.json",
  "{apps,packages,infra}/*/package.json",
  "apps/api/src/main.ts",
  "packages/{contracts,storage}/src/index.ts",
  "infra/docker/Dockerfile",
  "infra/docker/programs/run.mjs",
  "infra/README.md",
];
const ALL = ["api", "email-worker", "marketplace-sync-worker", "dlq-notifier", "pdf-worker", "all"];

/** This workspace in a repository of its own, whose one commit is a release, and what changes after it. */
async function releasedWorkspace() {
  const folder = mkdtempSync(join(tmpdir(), "ballast-affected-"));
  for (const file of globSync(FILES, { cwd: root })) cpSync(join(root, file), join(folder, file));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  const git = (...args: string[]) => run("git", args, { cwd: folder });
  const commit = async () => {
    await git("add", "--all", "--", ":!node_modules");
    await git("-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "--message", "all");
  };
  await git("init", "--quiet");
  await commit();
  await git("tag", "@ballast/api@1.3.0");
  return {
    async changed(file: string) {
      appendFileSync(join(folder, file), "\n");
      await commit();
      const images = imagesOf(readDockerfile(folder), folder);
      const affected = await affectedImages(images, "@ballast/api@1.3.0", folder);
      return affected.map(({ name }) => name);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

test.each([
  ["an app", "apps/api/src/main.ts", ["api", "all"]],
  ["what every app is made of", "packages/contracts/src/index.ts", ALL],
  [
    "what some apps are made of",
    "packages/storage/src/index.ts",
    ["api", "email-worker", "pdf-worker", "all"],
  ],
  ["what is locked", "pnpm-lock.yaml", ALL],
  ["the Dockerfile", "infra/docker/Dockerfile", ALL],
  ["what images bring besides their app", "infra/docker/programs/run.mjs", ALL],
  ["a page for people", "infra/README.md", []],
])(
  "after a change of %s since a release those images are built that it goes into",
  async (_, file, images) => {
    using workspace = await releasedWorkspace();
    expect(await workspace.changed(file)).toEqual(images);
  },
);
