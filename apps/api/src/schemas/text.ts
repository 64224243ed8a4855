import { z } from "zod";

/** C0, DEL and C1; PostgreSQL refuses NUL, and the rest has no business in print or a mail header. */
const CONTROL = /\p{Cc}/u;
/** As above, but for tab and line feed. */
const CONTROL_BUT_LINES = /[^\P{Cc}\t\n]/u;

const printable = (text: string, control: RegExp): boolean =>
  !control.test(text) && text.isWellFormed();

/** One line of text of 1 to `max` characters; blanks around it go. */
export const line = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((text) => printable(text, CONTROL), "must not hold control characters");

/** Text of 1 to `max` characters that may have several lines. */
export const paragraph = (max: number) =>
  z
    .string()
    .overwrite((text) => text.replaceAll("\r\n", "\n").trim())
    .min(1)
    .max(max)
    .refine(
      (text) => printable(text, CONTROL_BUT_LINES),
      "must not hold control characters other than tab and line feed",
    );

/** May be absent or `null`, which both mean: none. */
export const optional = <Schema extends z.ZodType>(schema: Schema) =>
  schema.nullable().default(null);

/** `new URL` drops or escapes what must not be in one, while the text itself is what would be stored. */
export const webAddress = (max: number) =>
  z
    .url({ protocol: /^https?$/, error: "must be a web address" })
    .max(max)
    .refine((text) => printable(text, CONTROL), "must not hold control characters");

/** 254: the longest address that fits an SMTP path. @see RFC 5321, errata 1690 */
export const mailAddress = z.email().max(254).meta({ example: "billing@example.com" });

/** The format says it all; zod's own patterns are of hundreds of characters. */
export function withoutPattern({ jsonSchema }: { jsonSchema: { pattern?: unknown } }): void {
  delete jsonSchema.pattern;
}

/** A calendar day without a time zone. PostgreSQL knows no year 0, and no bill is that old. */
export const day = z.iso
  .date()
  .refine((text) => text >= "1900-01-01", "must not be before 1900-01-01")
  .meta({ override: withoutPattern, example: "2026-11-23" });

/** A moment, in answers. */
export const moment = z.string().meta({ format: "date-time", example: "2026-11-23T09:00:00.000Z" });

/** In small letters, as PostgreSQL writes them: ids are compared as text here. */
export const uuid = (what: string) =>
  z.uuid().toLowerCase().meta({ description: what, override: withoutPattern });
