import { join } from "node:path";
import { run } from "./command.ts";
import { commitOf } from "./commit.ts";
import type { Image } from "./image.ts";

/** Files that go into every image, beyond what turbo's graph knows. */
const EVERYWHERE = [
  "infra/docker/Dockerfile",
  "infra/docker/programs",
  ".dockerignore",
  "pnpm-lock.yaml",
];

/** Those of `images` that changed since `ref`: their app, a package it is made of, or what all are made with. */
export async function affectedImages(
  images: readonly Image[],
  ref: string,
  root: string,
): Promise<readonly Image[]> {
  const git = (...args: string[]) => run("git", args, { cwd: root });
  const base = await commitOf(ref, root);
  const shared = await git("diff", "--name-only", base, "--", ...EVERYWHERE);
  if (shared.trim() !== "") return images;
  const listed = await run(
    join(root, "node_modules/.bin/turbo"),
    ["ls", "--affected", "--output", "json"],
    { cwd: root, env: { ...process.env, TURBO_SCM_BASE: base } },
  );
  const { packages } = JSON.parse(listed.slice(listed.indexOf("{"))) as {
    packages: { items: ReadonlyArray<{ path: string }> };
  };
  const apps = new Set(packages.items.map(({ path }) => path));
  const isAnyApp = [...apps].some((path) => path.startsWith("apps/"));
  return images.filter(({ name }) => (name === "all" ? isAnyApp : apps.has(`apps/${name}`)));
}
