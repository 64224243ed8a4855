import type { InvoiceRun, InvoiceRunCounts, InvoiceRunItem } from "@ballast/database";
import { z } from "zod";
import { secondsLeft } from "../invoice-runs/progress.ts";
import { paging } from "./paging.ts";
import { day, moment, uuid } from "./text.ts";

/** What one run may hold; a filter by dates makes two of it. */
export const MAX_INVOICES = 50_000;

const filter = z
  .strictObject({
    state: z.enum(["issued", "paid"]).optional().meta({ description: "Both, if absent." }),
    customerId: uuid("Of this customer alone").optional(),
    issuedFrom: day.optional().meta({ description: "Issued on this day or later." }),
    issuedTo: day.optional().meta({ description: "Issued on this day or earlier." }),
  })
  .meta({ description: "Which issued invoices; drafts and void ones are never among them." });

export const InvoiceRunInput = z
  .strictObject({
    companyId: uuid("Whose invoices; needed by a key that reaches all companies").optional(),
    action: z.enum(["render", "send"]),
    ids: z.array(uuid("An issued invoice")).min(1).max(MAX_INVOICES).optional(),
    filter: filter.optional(),
  })
  .superRefine(({ ids, filter: asked }, ctx) => {
    if ((ids === undefined) === (asked === undefined))
      ctx.addIssue({
        code: "custom",
        path: [ids === undefined ? "ids" : "filter"],
        message:
          ids === undefined
            ? "is missing: name the invoices, or a filter, `{}` for all"
            : "must be absent where `ids` names the invoices",
      });
  })
  .meta({ id: "InvoiceRunInput" });

const count = z.int().min(0);

export const InvoiceRunBody = z
  .object({
    invoiceRunId: z.string(),
    companyId: z.string(),
    action: z.enum(["render", "send"]),
    filter: z.record(z.string(), z.unknown()).nullable(),
    state: z.enum(["running", "cancelling", "cancelled", "completed"]),
    requestedBy: z.string(),
    createdAt: moment,
    finishedAt: moment.nullable(),
    invoices: count,
    counts: z
      .object({
        pending: count,
        asked: count,
        done: count,
        failed: count,
        dead: count,
        cancelled: count,
      })
      .meta({
        description:
          "`failed` was never begun, e.g. for want of an address; of each `dead` one a dead letter waits for somebody.",
      }),
    secondsLeft: z.number().nullable().meta({
      description:
        "At the pace of the last minute; `null` while nothing ended lately, or once it is over.",
    }),
    summary: z
      .object({
        seconds: z
          .number()
          .meta({ description: "From its beginning, or its last retry, to its end." }),
        perSecond: z.number(),
        causes: z
          .array(
            z.object({
              code: z.string(),
              count,
              invoiceId: z.string(),
              message: z.string().nullable(),
            }),
          )
          .meta({ description: "Why invoices fell out, each with one of them." }),
      })
      .nullable()
      .meta({ description: "Once it is over." }),
  })
  .meta({ id: "InvoiceRun" });

export const InvoiceRunListBody = z.object({ invoiceRuns: z.array(InvoiceRunBody) });

const ItemState = z.enum(["pending", "asked", "done", "failed", "dead", "cancelled"]);

export const itemsQuery = z.strictObject({
  state: ItemState.optional().meta({ description: "Those alone, e.g. `dead`." }),
  ...paging,
});

export const InvoiceRunItemsBody = z
  .object({
    items: z.array(
      z.object({
        invoiceId: z.string(),
        number: z.string().nullable(),
        state: ItemState,
        jobRunId: z.string().nullable().meta({ description: "The work; a letter has this id." }),
        requestId: z.string().nullable().meta({ description: "The job: `/v1/jobs/{requestId}`." }),
        code: z.string().nullable(),
        message: z.string().nullable(),
        endedAt: moment.nullable(),
      }),
    ),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: "InvoiceRunItems" });

type Causes = NonNullable<z.output<typeof InvoiceRunBody>["summary"]>["causes"];

export function invoiceRunBody(
  run: InvoiceRun,
  { endedLately, ...counts }: InvoiceRunCounts,
  causes: Causes,
  now = new Date(),
) {
  const { finishedAt, begunAt } = run;
  const seconds = Math.max(0.001, ((finishedAt ?? now).getTime() - begunAt.getTime()) / 1_000);
  return {
    invoiceRunId: run.id,
    companyId: run.companyId,
    action: run.action,
    filter: run.filter,
    state: run.state,
    requestedBy: run.requestedBy,
    createdAt: run.createdAt,
    finishedAt,
    invoices: run.invoiceCount,
    counts,
    secondsLeft: finishedAt === null ? secondsLeft({ ...counts, endedLately }, begunAt, now) : null,
    summary:
      finishedAt === null
        ? null
        : { seconds, perSecond: Math.round((counts.done / seconds) * 10) / 10, causes },
  };
}

export const itemBody = (item: InvoiceRunItem) => ({
  invoiceId: item.invoiceId,
  number: item.number,
  state: item.state,
  jobRunId: item.jobRunId,
  requestId: item.requestId,
  code: item.errorCode,
  message: item.errorMessage,
  endedAt: item.endedAt,
});
