import { isCurrency } from "@ballast/database";
import { z } from "zod";

export const currency = z
  .string()
  .refine(isCurrency, "is no currency: give an ISO 4217 code in upper case, e.g. EUR")
  .meta({ example: "EUR" });
