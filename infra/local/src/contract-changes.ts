/** What the schema file of one version of one job holds. */
export interface JobSchema {
  readonly queue: string;
  readonly payload: JsonSchema;
  readonly result: JsonSchema;
}

export type JsonSchema = { readonly [keyword: string]: unknown };

/** Schema files by `<queue>.<job>.v<N>`. */
export type JobSchemas = ReadonlyMap<string, JobSchema>;

/** What people read and validators do not. */
const ANNOTATIONS = new Set([
  "$schema",
  "$comment",
  "title",
  "description",
  "examples",
  "deprecated",
]);

/**
 * Whatever breaks somebody who uses the last release, one line each.
 *
 * Within a version only optional fields may be added: a newer producer meets older workers during every rollout, and
 * what those were not told of they ignore, but for it to be different they refuse.
 *
 * @param oldestKept lowest version that workers of this release take of a job, by `<queue>.<job>`
 */
export function breakingChanges(
  released: JobSchemas,
  now: JobSchemas,
  oldestKept: ReadonlyMap<string, number>,
): string[] {
  return [...released].flatMap(([name, before]) => {
    const after = now.get(name);
    if (after !== undefined)
      return [
        ...differences(before.payload, after.payload, `${name}: payload`),
        ...differences(before.result, after.result, `${name}: result`),
      ];
    const [, job = "", version = ""] = /^(.+)\.v(\d+)$/.exec(name) ?? [];
    const oldest = oldestKept.get(job);
    if (oldest === undefined) return [`${name}: was released, and there is no ${job} any more`];
    if (oldest > Number(version)) return []; // retired: `--against` tells whether its queue has drained
    const newest = newestOf(now, job);
    return newest === undefined
      ? [`${name}: was released, and has no schema any more`]
      : refusals(before.payload, newest.payload, `${name}: payload, which workers still take`);
  });
}

function newestOf(schemas: JobSchemas, job: string): JobSchema | undefined {
  const versions = [...schemas.keys()].flatMap((name) => {
    const version = name.startsWith(`${job}.v`) ? Number(name.slice(job.length + 2)) : Number.NaN;
    return Number.isInteger(version) ? [version] : [];
  });
  return schemas.get(`${job}.v${Math.max(...versions)}`);
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const propertiesOf = (schema: JsonSchema): Readonly<Record<string, JsonSchema>> =>
  (schema["properties"] ?? {}) as Record<string, JsonSchema>;
const requiredOf = (schema: JsonSchema): readonly string[] =>
  (schema["required"] ?? []) as readonly string[];

/** All that is different, but for optional fields that were added. */
function differences(before: JsonSchema, after: JsonSchema, at: string): string[] {
  const found: string[] = [];
  for (const [field, schema] of Object.entries(propertiesOf(before))) {
    const its = propertiesOf(after)[field];
    if (its === undefined) found.push(`${at}.${field} was removed`);
    else found.push(...differences(schema, its, `${at}.${field}`));
    const [was, is] = [before, after].map((one) => requiredOf(one).includes(field));
    if (was !== is && its !== undefined)
      found.push(`${at}.${field} was ${was ? "required" : "optional"}, and is not any more`);
  }
  for (const field of requiredOf(after))
    if (!(field in propertiesOf(before))) found.push(`${at}.${field} is new, and not optional`);
  for (const keyword of keywordsOf(before, after)) {
    const [was, is] = [before[keyword], after[keyword]];
    if (isSchema(was) && isSchema(is)) found.push(...differences(was, is, `${at}.${keyword}`));
    else if (text(was) !== text(is))
      found.push(`${at} has ${keyword} ${text(is)}, and had ${text(was)}`);
  }
  return found;
}

/** What the newer version asks of a payload that the older did not, so that it refuses what was fine. */
function refusals(before: JsonSchema, after: JsonSchema, at: string): string[] {
  const added = requiredOf(after).filter((field) => !requiredOf(before).includes(field));
  return [
    ...added.map(
      (field) => `${at}.${field} is required now; raise oldestVersion or make it optional`,
    ),
    ...Object.entries(propertiesOf(after)).flatMap(([field, schema]) => {
      const was = propertiesOf(before)[field];
      return was === undefined ? [] : differences(was, schema, `${at}.${field}`);
    }),
  ];
}

const keywordsOf = (...schemas: readonly JsonSchema[]) =>
  [...new Set(schemas.flatMap((schema) => Object.keys(schema)))].filter(
    (keyword) => keyword !== "properties" && keyword !== "required" && !ANNOTATIONS.has(keyword),
  );

const text = (value: unknown) => (value === undefined ? "none" : JSON.stringify(value));
