import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";

type Json = Record<string, unknown>;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Json;
}

interface Kustomization {
  readonly namespace?: string;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly images?: ReadonlyArray<{ name: string; newName?: string; newTag?: string }>;
  readonly replicas?: ReadonlyArray<{ name: string; count: number }>;
  readonly patches?: ReadonlyArray<{
    path?: string;
    patch?: string;
    target: { kind: string; name?: string };
  }>;
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/**
 * What `kubectl kustomize` makes of a folder, as far as ours go: resources, components, patches, images, replicas.
 * Labels and generated secrets are left out. So a machine without kubectl checks the overlays too.
 *
 * @param given what a component is added to, and may change
 */
export function render(folder: string, given: readonly Manifest[] = []): Manifest[] {
  const its = readYaml(join(folder, "kustomization.yaml")) as Kustomization;
  const resources = (its.resources ?? []).flatMap((resource) => {
    const path = join(folder, resource);
    return statSync(path).isDirectory() ? render(path) : readAll(path);
  });
  const manifests = (its.components ?? []).reduce<readonly Manifest[]>(
    (sofar, component) => render(join(folder, component), sofar),
    [...given, ...resources],
  );
  return manifests.map((manifest) => {
    let changed = manifest as unknown as Json;
    for (const { path, patch, target } of its.patches ?? []) {
      const names = new RegExp(`^${target.name ?? ".*"}$`);
      if (target.kind !== manifest.kind || !names.test(manifest.metadata.name)) continue;
      const content = path === undefined ? parse(patch ?? "") : readYaml(join(folder, path));
      changed = Array.isArray(content)
        ? content.reduce(applied, structuredClone(changed))
        : (merged(changed, content as Json) as Json);
      changed["metadata"] = manifest.metadata;
    }
    for (const { name, newName = name, newTag } of its.images ?? [])
      changed = withImage(changed, name, `${newName}:${newTag}`) as Json;
    const replicas = its.replicas?.find(({ name }) => name === manifest.metadata.name);
    if (replicas !== undefined && manifest.kind === "Deployment")
      changed["spec"] = { ...(changed["spec"] as Json), replicas: replicas.count };
    return changed as unknown as Manifest;
  });
}

const readYaml = (file: string): unknown => parse(readFileSync(file, "utf8"));
const readAll = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(file, "utf8")).map((document) => document.toJS());

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const nameOf = (value: unknown) => (isObject(value) ? value["name"] : undefined);

/** Objects by key, lists of named things by name; what the patch has comes first, as kustomize does it. */
function merged(base: unknown, patch: unknown): unknown {
  if (isObject(base) && isObject(patch)) {
    const both = [...new Set([...Object.keys(base), ...Object.keys(patch)])];
    return Object.fromEntries(
      both.map((key) => [key, key in patch ? merged(base[key], patch[key]) : base[key]]),
    );
  }
  if (!Array.isArray(base) || !Array.isArray(patch) || nameOf(patch[0]) === undefined)
    return patch ?? base;
  const patched = patch.map((one) =>
    merged(
      base.find((of) => nameOf(of) === nameOf(one)),
      one,
    ),
  );
  return [...patched, ...base.filter((one) => !patch.some((of) => nameOf(of) === nameOf(one)))];
}

/** One operation of a JSON patch. */
function applied(document: Json, { op, path, value }: Operation): Json {
  const keys = path.split("/").slice(1);
  const last = keys.pop() ?? "";
  const parent = keys.reduce<unknown>((at, key) => (at as Json)[key], document) as Json;
  if (!(last in parent)) throw new Error(`there is nothing at ${path} to ${op}`);
  if (op === "remove") delete parent[last];
  else parent[last] = value;
  return document;
}

function withImage(value: unknown, name: string, image: string): unknown {
  if (Array.isArray(value)) return value.map((one) => withImage(one, name, image));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === "image" && one === name ? image : withImage(one, name, image),
    ]),
  );
}
