import { z } from "zod";
import { withoutPattern } from "./text.ts";

/** Of lists, newest first. */
export const paging = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, "must be a whole number from 1 to 200")
    .transform(Number)
    .pipe(z.int().min(1).max(200))
    .default(50)
    .meta({
      description: "Entries a page has at most.",
      override: { type: "integer", minimum: 1, maximum: 200, default: 50 },
    }),
  cursor: z
    .uuid("must be `nextCursor` of the page before")
    .optional()
    .meta({ description: "`nextCursor` of the page before.", override: withoutPattern }),
};

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** A filter without the fields that were left out. */
export const given = <T extends object>(filter: T): Given<T> =>
  Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as Given<T>;
