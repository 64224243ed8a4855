import type { Generated } from "kysely";
import type { ReminderSettings } from "../reminders/settings.ts";
import type { Json, Timestamp } from "./columns.ts";

export type InvoiceRunState = "running" | "cancelling" | "cancelled" | "completed";
export type InvoiceRunItemState = "pending" | "asked" | "done" | "failed" | "dead" | "cancelled";

/** Work that belongs to a time, and runs of many invoices. */
export interface PlannedWorkTables {
  schedules: {
    id: string;
    companyId: string | null;
    queue: string;
    job: string;
    payload: Json<Record<string, unknown>>;
    cron: string;
    timeZone: string;
    nextAt: Date;
  };
  scheduleTicks: {
    id: string;
    scheduleId: string;
    dueAt: Date | null;
    askedAt: Timestamp;
    requestedBy: string;
    requestId: string;
  };
  reminderSettings: {
    companyId: string;
    beforeDays: number | null;
    afterDays: number | null;
    atHour: number;
    templates: Json<ReminderSettings["templates"]>;
    updatedAt: Timestamp;
  };
  invoiceRuns: {
    id: string;
    companyId: string;
    action: "render" | "send";
    filter: Json<Record<string, unknown>> | null;
    invoiceCount: number;
    state: Generated<InvoiceRunState>;
    requestedBy: string;
    retriedBy: string | null;
    traceparent: string | null;
    createdAt: Timestamp;
    begunAt: Timestamp;
    finishedAt: Date | null;
    driver: string | null;
    drivenUntil: Date | null;
  };
  invoiceRunItems: {
    invoiceRunId: string;
    invoiceId: string;
    companyId: string;
    position: number;
    state: Generated<InvoiceRunItemState>;
    tries: Generated<number>;
    jobRunId: string | null;
    requestId: string | null;
    errorCode: string | null;
    errorMessage: string | null;
    endedAt: Date | null;
  };
}
