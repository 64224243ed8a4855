import { z } from "zod";
import { line } from "./text.ts";

const regionNames = new Intl.DisplayNames("en", { type: "region", fallback: "none" });

const countryCode = z
  .string()
  .regex(/^[A-Z]{2}$/, "must be an ISO 3166-1 code of two capital letters, e.g. DE")
  .refine((code) => regionNames.of(code) !== undefined, "is no country in ISO 3166-1")
  .meta({ example: "DE" });

export const AddressSchema = z
  .strictObject({
    lines: z
      .array(line(100))
      .min(1)
      .max(4)
      .meta({ description: "Street and number, suite and the like.", example: ["Hafenstraße 12"] }),
    postalCode: line(20).meta({ example: "20457" }),
    city: line(100).meta({ example: "Hamburg" }),
    region: line(100)
      .optional()
      .meta({ description: "State or province, where addresses name one." }),
    countryCode,
  })
  .meta({ id: "Address" });
