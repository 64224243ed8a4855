import type { AnyJob } from "./job.ts";
import { echo } from "./jobs/echo.ts";
import { paymentReminder } from "./jobs/payment-reminder.ts";
import { pushListing } from "./jobs/push-listing.ts";
import { pushStock } from "./jobs/push-stock.ts";
import { reconcileStock } from "./jobs/reconcile-stock.ts";
import { remindDebtors } from "./jobs/remind-debtors.ts";
import { renderInvoice } from "./jobs/render-invoice.ts";
import { sendAlert } from "./jobs/send-alert.ts";
import { sendInvoice } from "./jobs/send-invoice.ts";
import { updateTicket } from "./jobs/update-ticket.ts";
import type { QueueDefinition } from "./queue.ts";

/** Every job of this release. */
export const jobContracts: readonly AnyJob[] = [
  renderInvoice,
  sendInvoice,
  paymentReminder,
  remindDebtors,
  pushStock,
  pushListing,
  reconcileStock,
  sendAlert,
  updateTicket,
  echo,
];

/** Every queue that a job of this release belongs to. */
export const queueDefinitions: readonly QueueDefinition[] = [
  ...new Set(jobContracts.map(({ queue }) => queue)),
];

/** The contract of a job by its queue and name; `undefined` if this release knows none. */
export const findContract = (queue: string, name: string): AnyJob | undefined =>
  jobContracts.find((job) => job.queue.name === queue && job.name === name);

/** The fields of a job's payload that never leave in an alert or a ticket; none of a job nobody knows here. */
export const privateFieldsOf = (queue: string, job: string): readonly string[] =>
  findContract(queue, job)?.privateFields ?? [];
