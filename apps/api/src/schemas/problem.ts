import { z } from "zod";
import { PROBLEMS, type ProblemCode } from "../http/problem.ts";

/** A refusal as RFC 9457 has it; the shape of every answer with a status from 400 up. */
export const ProblemSchema = z
  .object({
    type: z.string().meta({
      description: "What kind of refusal this is; resolves to its explanation.",
      example: "/problems#invalid-body",
    }),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: "What failed, with which value, and the remedy." }),
    instance: z.string().meta({ description: "The address that was asked." }),
    errors: z
      .array(
        z.object({
          path: z.string().meta({ example: "lines.3.quantity" }),
          message: z.string(),
          limit: z.number().optional().meta({ description: "The bound that was crossed." }),
        }),
      )
      .optional()
      .meta({ description: "Every bad field, by its path; at most 1,000." }),
  })
  .meta({ id: "Problem" });

const EXAMPLES: Partial<Record<ProblemCode, { detail: string; errors?: object[] }>> = {
  "invalid-body": {
    detail: "1 field is wrong: lines.0.quantity must be a decimal, e.g. 1.5",
    errors: [{ path: "lines.0.quantity", message: "must be a decimal, e.g. 1.5" }],
  },
  "malformed-request": {
    detail: "1 field is wrong: invoiceId must be a UUID",
    errors: [{ path: "invoiceId", message: "must be a UUID" }],
  },
  "body-too-large": {
    detail: "the body has 5242880 bytes; this address takes 1048576",
    errors: [{ path: "(body)", message: "must have at most 1048576 bytes", limit: 1_048_576 }],
  },
};

/** An example answer for the OpenAPI document. */
export const problemExample = (code: ProblemCode, path: string) => {
  const { status, title, remedy } = PROBLEMS[code];
  const { detail = remedy, errors } = EXAMPLES[code] ?? {};
  return {
    type: `/problems#${code}`,
    title,
    status,
    detail,
    instance: path,
    ...(errors === undefined ? {} : { errors }),
  };
};
