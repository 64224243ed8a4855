import { z } from "zod";
import { line } from "./text.ts";

/** Why an operator does it; kept in the audit. */
export const reason = line(500).meta({
  description: "Why; kept in the audit.",
  example: "the tax table was corrected",
});

export const ReasonInput = z.strictObject({ reason }).meta({ id: "ReasonInput" });

/** A moment to look from or up to. */
export const instant = (description: string) =>
  z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .optional()
    .meta({ description, override: { type: "string", format: "date-time" } });
