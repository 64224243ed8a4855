import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "@ballast/local";
import { run } from "../../src/command.ts";
import type { Manifest } from "./kustomize.ts";

/**
 * What the published types of Kubernetes and KEDA have against some manifests. Each becomes a literal that must satisfy
 * its type, so unknown fields are found as well as wrong ones.
 */
export async function typeProblems(manifests: readonly Manifest[]): Promise<string> {
  const home = join(root, "infra/docker");
  const folder = mkdtempSync(join(home, ".manifests-"));
  const file = join(folder, "manifests.ts");
  const lines = manifests.map((manifest, at) => {
    const { apiVersion, kind } = manifest;
    const module = apiVersion.startsWith("keda.sh/")
      ? `@kubernetes-models/keda/${apiVersion}`
      : `kubernetes-models/${apiVersion}`;
    return `import type { I${kind} as T${at} } from "${module}"; export const m${at} = (${JSON.stringify(manifest)}) satisfies T${at};`;
  });
  writeFileSync(file, lines.join("\n"));
  const options =
    "--ignoreConfig --noEmit --strict --skipLibCheck --target es2022 --module nodenext --moduleResolution nodenext --types";
  try {
    await run(join(root, "node_modules/.bin/tsc"), [...options.split(" "), "", file]);
    return "";
  } catch (error) {
    return (error as Error).message.replace(/\S*manifests\.ts\((\d+),\d+\)/g, (_, line) => {
      const { kind, metadata } = manifests[Number(line) - 1] as Manifest;
      return `${kind} ${metadata.name}`;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
