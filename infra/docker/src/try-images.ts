import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Builder } from "./builders.ts";
import { run } from "./command.ts";
import { readDockerfile } from "./dockerfile.ts";
import { appsOf, type Image, imagesOf } from "./image.ts";
import { tryPrograms } from "./try-programs.ts";

/** Start a container of every image, and let them work together. The image `all` runs every app. */
export async function tryImages(
  builder: Builder,
  images: readonly Image[],
  root: string,
): Promise<void> {
  const single = images
    .filter(({ name }) => name !== "all")
    .map(({ name, repository }) => ({ app: name, image: `${repository}:latest`, command: [] }));
  if (single.length > 0) await tryPrograms(builder, single);
  const all = images.find(({ name }) => name === "all");
  if (all === undefined) return;
  const image = `${all.repository}:latest`;
  const every = appsOf(root).map((app) => ({ app, image, command: [app] }));
  await tryPrograms(builder, every);
}

/**
 * Each of `images` alone beside all other apps as they were at `ref`, after this checkout's migrations: what every
 * step of a rollout is, in whatever order apps are deployed.
 *
 * @throws {Error} naming the app that cannot be deployed alone
 */
export async function tryBeside(
  builder: Builder,
  images: readonly Image[],
  at: { readonly root: string; readonly ref: string; readonly base: string },
): Promise<void> {
  const earlier = await buildEarlier(builder, at);
  for (const { name, repository } of images.filter((one) => one.name !== "all")) {
    console.error(`this ${name} beside all others of ${at.ref}`);
    const others = earlier.filter(({ app }) => app !== name);
    const own = { app: name, image: `${repository}:latest`, command: [] };
    await tryPrograms(builder, [...others, own]).catch((error: unknown) => {
      throw new Error(`${name} cannot be deployed alone beside ${at.ref}`, { cause: error });
    });
  }
}

/** Every app of `ref` but `all`, built from what git has of it, each as `ballast/<app>:beside`. */
async function buildEarlier(
  builder: Builder,
  { root, ref, base }: { root: string; ref: string; base: string },
) {
  const folder = mkdtempSync(join(tmpdir(), "ballast-beside-"));
  try {
    await run("sh", ["-euc", 'git archive "$1" | tar -x -C "$2"', "sh", ref, folder], {
      cwd: root,
    });
    const images = imagesOf(readDockerfile(folder), folder).filter(({ name }) => name !== "all");
    const file = "infra/docker/Dockerfile";
    for (const { name, repository } of images)
      await builder.build({
        root: folder,
        file,
        target: name,
        tags: [`${repository}:beside`],
        args: { NODE_IMAGE: base },
        labels: {},
      });
    return images.map((one) => ({
      app: one.name,
      image: `${one.repository}:beside`,
      command: [],
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
