import { readFileSync } from "node:fs";
import { z } from "zod";
import { ConfigError } from "./config-error.ts";

export type Env = Readonly<Record<string, string | undefined>>;

type Source =
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "unset" }
  | { readonly kind: "problem"; readonly problem: string };

/** Shorter values are likely to be part of an innocent word of a message. */
const MIN_HIDDEN_LENGTH = 4;

/**
 * Read the variables that `schema` names from `env`; each is given as `NAME`, or as `NAME_FILE`, a file that holds it.
 *
 * An empty variable, or one of blanks, counts as unset; line ends at a file's end are dropped. A field's `describe()` text
 * is shown as the remedy.
 *
 * @throws {ConfigError} naming every bad variable at once, without its value
 */
export function readEnv<Schema extends z.ZodObject>(schema: Schema, env: Env): z.output<Schema> {
  const input: Record<string, string> = {};
  const problems = new Map<string, string[]>();

  for (const name of Object.keys(schema.shape)) {
    const source = find(name, env);
    if (source.kind === "value") input[name] = source.value;
    if (source.kind === "problem") problems.set(name, [source.problem]);
  }

  const broken = new Set(problems.keys());
  const parsed = schema.safeParse(input);
  for (const issue of parsed.error?.issues ?? []) {
    const name = String(issue.path[0] ?? "settings");
    if (broken.has(name)) continue; // its source already failed, so it only looks missing
    const told = problems.get(name) ?? [];
    told.push(explain(schema, name, input[name], issue.message));
    problems.set(name, told);
  }

  if (parsed.success && problems.size === 0) return parsed.data;
  throw new ConfigError([...problems.values()].map((lines) => lines.join("; ")));
}

/** Blanks alone would be read as 0 where a number is expected. */
const given = (value: string | undefined): string | undefined =>
  value === undefined || value.trim() === "" ? undefined : value;

function find(name: string, env: Env): Source {
  const value = given(env[name]);
  const file = given(env[`${name}_FILE`]);
  if (value !== undefined && file !== undefined) {
    return problem(`${name} and ${name}_FILE are both set: keep one of them`);
  }
  if (value !== undefined) return { kind: "value", value };
  if (file === undefined) return { kind: "unset" };
  try {
    const held = readFileSync(file, "utf8").replace(/[\r\n]+$/, "");
    if (held === "")
      return problem(`${name}_FILE names an empty file: write the value into ${file}`);
    return { kind: "value", value: held };
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    return problem(`${name}_FILE cannot be read (${code}): let this process read ${file}`);
  }
}

const problem = (text: string): Source => ({ kind: "problem", problem: text });

function explain(schema: z.ZodObject, name: string, value: string | undefined, reason: string) {
  const field: unknown = schema.shape[name];
  const meaning = meaningOf(field);
  const expected = meaning === undefined ? "" : ` (${meaning})`;
  if (field !== undefined && value === undefined) {
    return `${name} is missing: set it, or ${name}_FILE to a file that holds it${expected}`;
  }
  return `${name} is wrong: ${hide(value, reason)}${expected}`;
}

/** A schema's own message may quote the value, and the value may be a password. */
function hide(value: string | undefined, message: string): string {
  if (value === undefined || value.length < MIN_HIDDEN_LENGTH) return message;
  return message.replaceAll(value, "[value]");
}

/** The `describe()` text of a field, also from beneath `default()`, `optional()` or a transform. */
function meaningOf(field: unknown): string | undefined {
  for (let schema = field; schema instanceof z.ZodType; schema = inner(schema)) {
    if (schema.description !== undefined) return schema.description;
  }
  return undefined;
}

function inner(schema: z.ZodType): unknown {
  if (schema instanceof z.ZodPipe) return schema.in;
  const { def } = schema;
  return "innerType" in def ? def.innerType : undefined;
}
