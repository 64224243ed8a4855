/**
 * `npm run images`: build every image, and say how large each is above its base.
 *
 *   npm run images                                 all of them, with docker, podman or buildah
 *   npm run images -- api pdf-worker               some
 *   npm run images -- --affected main              those whose app, or what it is made of, changed since
 *   npm run images -- --try                        and start each against real stores
 *   npm run images -- --beside @ballast/api@1.4.0  and each alone with all others of that tag: the steps of a rollout
 *   npm run images -- --base my/node:24            on another base, one line of JSON each with --json
 */
import { root } from "@ballast/local";
import { affectedImages } from "./affected.ts";
import { openBase } from "./base.ts";
import { findBuilder } from "./builders.ts";
import { commitOf } from "./commit.ts";
import { readDockerfile } from "./dockerfile.ts";
import { type Image, imagesOf, labelsOf } from "./image.ts";
import { readOptions } from "./options.ts";
import { tryBeside, tryImages } from "./try-images.ts";

async function main(): Promise<boolean> {
  const dockerfile = readDockerfile(root);
  const every = imagesOf(dockerfile, root);
  const options = readOptions(process.argv.slice(2), every);
  const images =
    options.affected === undefined
      ? options.images
      : await affectedImages(options.images, options.affected, root);
  if (images.length === 0) console.error(`nothing to build: no image changed`);
  if (images.length === 0) return true;
  const ref = options.beside && (await commitOf(options.beside, root));

  const builder = await findBuilder();
  console.error(`builder: ${builder.name}`);
  const base = await openBase(builder, options.base ?? dockerfile.base);
  const baseBytes = await builder.sizeBytes(base);
  let ok = true;
  for (const image of images) {
    const began = performance.now();
    await builder.build({
      root,
      file: "infra/docker/Dockerfile",
      target: image.name,
      tags: [`${image.repository}:${image.version}`, `${image.repository}:latest`],
      args: { NODE_IMAGE: base },
      labels: labelsOf(image, root),
    });
    const aboveBytes = (await builder.sizeBytes(`${image.repository}:latest`)) - baseBytes;
    const isFit = aboveBytes <= image.limitBytes;
    ok &&= isFit;
    report(image, { aboveBytes, isFit, ms: performance.now() - began, json: options.json });
  }
  if (options.tryThem) await tryImages(builder, images, root);
  if (ref) await tryBeside(builder, images, { root, ref, base });
  return ok;
}

function report(
  image: Image,
  built: { aboveBytes: number; isFit: boolean; ms: number; json: boolean },
): void {
  const { name, version, limitBytes } = image;
  const { aboveBytes, isFit } = built;
  const seconds = Math.round(built.ms / 1_000);
  if (built.json)
    console.log(
      JSON.stringify({ image: name, version, aboveBytes, limitBytes, ok: isFit, seconds }),
    );
  else
    console.log(
      `${isFit ? "ok    " : "TOO BIG"} ${name.padEnd(24)} ${version.padEnd(8)} ` +
        `${megabytes(aboveBytes)} above its base, of ${megabytes(limitBytes)}, in ${seconds} s`,
    );
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;

process.exitCode = await main().then(
  (ok) => (ok ? 0 : 1),
  (error: unknown) => {
    for (let at = error; at !== undefined; at = (at as Error).cause)
      console.error(at instanceof Error ? at.message : at);
    return 1;
  },
);
