export { type Backoff, backoffDelayMs } from "./backoff.ts";
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
  defineJob,
  type JobContract,
  type PayloadInput,
  type PayloadOf,
  type ResultOf,
} from "./job.ts";
export { echo } from "./jobs/echo.ts";
export { documentHold, InvoiceLocale, renderInvoice } from "./jobs/render-invoice.ts";
export { sendInvoice } from "./jobs/send-invoice.ts";
export { defineQueue, type QueueDefinition, type QueuePolicy, recoveryBoundMs } from "./queue.ts";
export { drill, email, pdf } from "./queues.ts";
