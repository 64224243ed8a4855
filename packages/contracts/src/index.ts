export { type Backoff, backoffDelayMs } from "./backoff.ts";
export { findContract, jobContracts, privateFieldsOf, queueDefinitions } from "./catalogue.ts";
export {
  type BullmqJob,
  ContractError,
  Envelope,
  EnvelopeMeta,
  parsePayload,
  toBullmq,
} from "./envelope.ts";
export {
  type AnyJob,
  BULK_PRIORITY,
  defineJob,
  type JobContract,
  type PayloadInput,
  type PayloadOf,
  type ResultOf,
} from "./job.ts";
export { echo } from "./jobs/echo.ts";
export { paymentReminder, ReminderStep } from "./jobs/payment-reminder.ts";
export { pushListing } from "./jobs/push-listing.ts";
export { pushStock, URGENT_PRIORITY } from "./jobs/push-stock.ts";
export { reconcileStock } from "./jobs/reconcile-stock.ts";
export { remindDebtors } from "./jobs/remind-debtors.ts";
export { documentHold, InvoiceLocale, renderInvoice } from "./jobs/render-invoice.ts";
export { AlertChannel, sendAlert } from "./jobs/send-alert.ts";
export { sendInvoice } from "./jobs/send-invoice.ts";
export { updateTicket } from "./jobs/update-ticket.ts";
export { MarketplaceKind } from "./marketplaces/kind.ts";
export {
  addressFields,
  credentialFields,
  type MarketplaceCredentials,
  type MarketplaceSettings,
  marketplaces,
} from "./marketplaces/marketplaces.ts";
export { defineQueue, type QueueDefinition, type QueuePolicy, recoveryBoundMs } from "./queue.ts";
export { deadLetter, drill, email, marketplaceSync, pdf } from "./queues.ts";
