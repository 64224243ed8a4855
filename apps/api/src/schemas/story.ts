import { z } from "zod";
import { moment } from "./text.ts";

const ActionBody = z
  .object({
    actionId: z.string(),
    at: moment,
    actor: z.string(),
    action: z.string().meta({ example: "replay-letter" }),
    targetKind: z.string().meta({ example: "letter" }),
    targetId: z.string(),
    companyId: z.string().nullable(),
    subject: z.string().nullable(),
    reason: z.string().nullable(),
    before: z.unknown(),
    after: z.unknown(),
  })
  .meta({ id: "OperatorAction" });

export const ActionListBody = z.object({
  actions: z.array(ActionBody),
  nextCursor: z.string().nullable().meta({ description: "`null` on the last page." }),
});

export const TimelineBody = z
  .object({
    invoiceId: z.string(),
    entries: z.array(
      z.object({
        at: moment,
        kind: z.enum([
          "invoice",
          "request",
          "attempt",
          "document",
          "mail",
          "dead-letter",
          "action",
        ]),
        event: z.string().meta({ example: "died" }),
        by: z.string().nullable().meta({ description: "Caller, worker or operator." }),
        job: z.string().nullable(),
        id: z.string().meta({
          description: "Of the job, letter, delivery, document or action, by `kind`.",
        }),
        runId: z.string().nullable(),
        code: z.string().nullable(),
        message: z.string().nullable(),
      }),
    ),
    isComplete: z.boolean().meta({ description: "`false`: only the latest 1,000 are told." }),
  })
  .meta({ id: "Timeline" });
