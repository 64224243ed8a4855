import type { z } from "zod";
import { type FieldError, Problem, type ProblemCode } from "./problem.ts";

/** A body of thousands of bad lines would be answered by megabytes; how many there are is still told. */
const NAMED_ERRORS = 1_000;

/**
 * Check untrusted input, or refuse it naming every bad field.
 *
 * @throws {Problem} with code `code`
 */
export function parseOrRefuse<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  code: Extract<ProblemCode, "malformed-request" | "invalid-body">,
): z.output<Schema> {
  const parsed = schema.safeParse(input, { error: messageOf });
  if (parsed.success) return parsed.data;
  throw refusal(code, parsed.error.issues.flatMap(fromIssue));
}

/** A problem that names these fields, in `errors` and shortly in `detail`. */
export function refusal(code: ProblemCode, errors: readonly FieldError[]): Problem {
  const more = errors.length > NAMED_ERRORS ? `, of which ${NAMED_ERRORS} are named` : "";
  const what = errors.length === 1 ? "1 field is" : `${errors.length} fields are`;
  const first = errors.slice(0, 3).map(({ path, message }) => `${path} ${message}`);
  const detail = `${what} wrong${more}: ${first.join("; ")}${errors.length > 3 ? "; …" : ""}`;
  return new Problem(code, detail, { errors: errors.slice(0, NAMED_ERRORS) });
}

function fromIssue(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      path: path === "" ? key : `${path}.${key}`,
      message: "is not a field of this request",
    }));
  const limit = limitOf(issue);
  return [
    {
      path: path === "" ? "(body)" : path,
      message: issue.message,
      ...(limit === undefined ? {} : { limit: Number(limit) }),
    },
  ];
}

function limitOf(issue: z.core.$ZodIssue): unknown {
  switch (issue.code) {
    case "too_big":
      return issue.maximum;
    case "too_small":
      return issue.minimum;
    case "custom":
      return issue.params?.["limit"];
    default:
      return undefined;
  }
}

const UNITS: Record<string, string> = { string: "characters", array: "entries" };
const FORMATS: Record<string, string> = {
  uuid: "must be a UUID",
  email: "must be a mail address",
  date: "must be a date, YYYY-MM-DD",
  datetime: "must be a moment with its offset, e.g. 2026-11-23T09:00:00Z",
};

/** Reads on from the field's name: `lines must have at most 10000 entries`. A schema's own words win. */
function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  const unit = UNITS[String(issue["origin"])];
  switch (issue.code) {
    case "too_big":
      return unit === undefined
        ? `must be at most ${issue.maximum}`
        : `must have at most ${issue.maximum} ${unit}`;
    case "too_small":
      return unit === undefined
        ? `must be ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}`
        : `must have at least ${issue.minimum} ${unit}`;
    case "invalid_type":
      return issue.input === undefined ? "is missing" : `must be ${article(issue.expected)}`;
    case "invalid_value":
      return issue.input === undefined
        ? "is missing"
        : `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "invalid_format":
      return FORMATS[issue.format];
    default:
      return undefined;
  }
}

const article = (noun: string): string =>
  noun === "int" ? "a whole number" : `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
