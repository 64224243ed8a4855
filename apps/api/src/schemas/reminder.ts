import { z } from "zod";
import { line } from "./text.ts";

const days = (side: string) =>
  z
    .int()
    .min(1)
    .max(90)
    .nullable()
    .meta({ description: `Days ${side} the due date; \`null\`: no such reminder.` });

const PLACES = "{number}, {amount}, {dueDate}, {customer} and {company} stand for the invoice's.";

const template = z.strictObject({
  subject: line(200).meta({ description: PLACES, example: "Invoice {number} is due" }),
  text: z
    .string()
    .trim()
    .min(1)
    .max(2_000)
    .meta({ description: PLACES, example: "Please remember {amount} by {dueDate}." }),
});

export const RemindersInput = z
  .strictObject({
    beforeDays: days("before").default(3),
    afterDays: days("after").default(7),
    atHour: z.int().min(0).max(23).default(9).meta({ description: "Of the company's day." }),
    templates: z
      .strictObject({ before: template.optional(), after: template.optional() })
      .default({})
      .meta({ description: "The company's own words; without: ours, in the customer's language." }),
  })
  .meta({ id: "RemindersInput" });

export const RemindersBody = z
  .object({
    beforeDays: days("before"),
    afterDays: days("after"),
    atHour: z.int(),
    templates: z.object({ before: template.optional(), after: template.optional() }),
  })
  .meta({ id: "Reminders" });
