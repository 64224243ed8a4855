export { type Address, type Paper, paperOf, type TaxId } from "./address.ts";
export {
  type ApiKey,
  createApiKey,
  findApiKey,
  findApiKeys,
  type NewApiKey,
  revokeApiKey,
} from "./api-keys.ts";
export { awaitDatabase, DatabaseRefusedError, OldSchemaError } from "./await-database.ts";
export { type BulkBacklog, bulkBacklogs } from "./bulk-backlog.ts";
export {
  type Company,
  type CompanyFacts,
  findCompany,
  listCompanies,
  lockCompany,
  upsertCompany,
} from "./companies.ts";
export { currencyExponent, isCurrency, UnknownCurrencyError } from "./currency.ts";
export {
  type Customer,
  type CustomerFacts,
  CustomerOfAnotherCompanyError,
  findCustomer,
  listCustomers,
  upsertCustomer,
} from "./customers.ts";
export {
  type Database,
  type DatabaseLog,
  type DatabaseOptions,
  DatabaseUnavailableError,
  openDatabase,
  type Queryable,
  type Tx,
} from "./database.ts";
export { holdPart, type LetterCensus, leavePart, letterCensus } from "./dead-letters/census.ts";
export { type LetterToClear, lettersToClear, markCleared } from "./dead-letters/clearing.ts";
export {
  keepLetters,
  type LettersKept,
} from "./dead-letters/letter-retention.ts";
export type { LetterPolicy } from "./dead-letters/letters-beyond.ts";
export {
  type Decimal,
  formatDecimal,
  InvalidDecimalError,
  parseQuantity,
  parseTaxRate,
  QUANTITY_FRACTION_DIGITS,
  QUANTITY_INTEGER_DIGITS,
} from "./decimal.ts";
export {
  type Delivery,
  type DeliveryIdentity,
  type DraftedDelivery,
  deliveryMessageId,
  draftDelivery,
  findDelivery,
  listDeliveries,
  type MailPurpose,
  nextOrdinal,
  type PlannedDelivery,
  planDelivery,
  redirectDelivery,
} from "./deliveries.ts";
export {
  type Claim,
  claimAll,
  claimDrafts,
  claimSending,
  type DeliveryFailure,
  DeliveryNotFoundError,
  FIRST_FENCE,
  markRejected,
  markSent,
  markSentAll,
  markSuppressed,
  markUnknown,
  releaseClaim,
  type SentMail,
} from "./delivery-claim.ts";
export {
  type Document,
  type DocumentIdentity,
  findDocument,
  listDocuments,
  type NewDocument,
  recordDocument,
} from "./documents.ts";
export { CustomerInUseError, type Erasure, eraseCustomer } from "./erasure/erase-customer.ts";
export type { StaleCopy } from "./erasure/work.ts";
export { type GroupCommit, groupCommit } from "./group-commit.ts";
export { type HistoryKept, type HistoryPolicy, keepHistory } from "./history/keep-history.ts";
export {
  abandonIdempotent,
  type Begun,
  beginIdempotent,
  finishIdempotent,
  type IdempotencyClaim,
  IdempotencyClaimLostError,
  type IdempotentCall,
  purgeIdempotencyKeys,
  type RecordedAnswer,
} from "./idempotency.ts";
export {
  findAlert,
  findAlertDelivery,
  type NewAlert,
  recordAlertDelivery,
  type Tell,
  tellResolved,
} from "./incidents/alerts.ts";
export { type FileGatesOptions, fileGates } from "./incidents/file-gates.ts";
export {
  DEATH_CHANNEL,
  type Filed,
  type FilingOptions,
  fileLetters,
} from "./incidents/file-letters.ts";
export { type IncidentStory, incidentStory } from "./incidents/incident-story.ts";
export {
  hidePrivate,
  type PrivateFieldsOf,
  withoutPrivate,
} from "./incidents/private-values.ts";
export { recordTicket, recordTicketTold, type TicketAddress } from "./incidents/tickets.ts";
export { type Draft, type DraftLine, upsertDraft } from "./invoice-draft.ts";
export {
  InvoiceNotDraftError,
  InvoiceNotFoundError,
  InvoiceStateError,
  type InvoiceStep,
  InvoiceWithoutLinesError,
} from "./invoice-errors.ts";
export {
  claimInvoiceRuns,
  type ItemOutcome,
  type NextItem,
  nextInvoices,
  recordItem,
  settleItems,
  stillDrivingInvoiceRun,
} from "./invoice-runs/drive.ts";
export {
  cancelAsked,
  cancelItems,
  countItems,
  fallenByCause,
  type InvoiceRunCounts,
  type InvoiceRunItem,
  listItems,
  retryItems,
} from "./invoice-runs/items.ts";
export {
  createInvoiceRun,
  findInvoiceRun,
  forgetInvoiceRuns,
  type InvoiceRun,
  type InvoiceRunFilter,
  invoicesToRun,
  listInvoiceRuns,
  lockInvoiceRun,
  moveInvoiceRun,
  type UnfitInvoice,
  unfitInvoices,
} from "./invoice-runs/runs.ts";
export {
  invoiceNumber,
  issueInvoice,
  moveDueDate,
  payInvoice,
  voidInvoice,
} from "./invoice-steps.ts";
export {
  findInvoice,
  findInvoiceForRendering,
  findInvoiceHead,
  findInvoiceHeads,
  type Invoice,
  type InvoiceFilter,
  type InvoiceLine,
  type InvoiceWithLines,
  type IssuedInvoice,
  listInvoices,
} from "./invoices.ts";
export { type Cancellation, cancelRequest } from "./job-cancel.ts";
export { type JobRequestFilter, listJobRequests } from "./jobs-list.ts";
export {
  type AttemptView,
  changedSince,
  findJobByEngineId,
  findJobRequest,
  type JobRequestSummary,
  type JobRequestView,
  type RunView,
} from "./jobs-view.ts";
export {
  type DeliveryFacts,
  type DocumentFacts,
  findMailFacts,
  type MailFacts,
  type WantedMail,
} from "./mail-facts.ts";
export {
  type AccountFacts,
  findAccount,
  insertAccount,
  listAccounts,
  lockAccount,
  type MarketplaceAccount,
  setAccountPaused,
  updateAccount,
} from "./marketplaces/accounts.ts";
export { type Backlog, measureBacklog } from "./marketplaces/backlog.ts";
export { comparedListings, correctDrift, databaseNow } from "./marketplaces/correct-drift.ts";
export { closeCorrectedLetters } from "./marketplaces/corrected-letters.ts";
export {
  type Credentials,
  readAccess,
  resealCredentials,
  sealCredentials,
} from "./marketplaces/credentials.ts";
export {
  type ComparedListing,
  type DriftItem,
  type DriftRule,
  type ThreeWayDiff,
  threeWayDiff,
} from "./marketplaces/drift.ts";
export { type DriftReport, listDriftReports, recordDrift } from "./marketplaces/drift-reports.ts";
export { forgottenAccounts } from "./marketplaces/forgotten.ts";
export { type KeyRing, parseKeyRing, UnsealError } from "./marketplaces/key-ring.ts";
export {
  type Listing,
  type ListingFacts,
  type ListingFilter,
  ListingTakenError,
  listListings,
  putListings,
  removeListing,
} from "./marketplaces/listings.ts";
export { parkStillborn, type StillbornRun, unparkListing } from "./marketplaces/parking.ts";
export {
  beginPush,
  endPush,
  type ListingToPush,
  type NextPush,
  nextBatch,
  type PushBegun,
  type PushOutcome,
  settleBatch,
} from "./marketplaces/push.ts";
export {
  type AccountToPush,
  findStock,
  type Stock,
  type StockChange,
  type StockChanged,
  setStock,
  UnknownSkuError,
} from "./marketplaces/stock.ts";
export { MigrationError, migrate, migrationNames, schemaFingerprint } from "./migrator.ts";
export {
  AmountTooLargeError,
  invoiceTotals,
  lineNetMinor,
  MAX_AMOUNT_MINOR,
  type PricedLine,
  roundCommercially,
  type TaxGroup,
  type Totals,
} from "./money.ts";
export {
  type ActionFilter,
  listActions,
  type NewOperatorAction,
  type OperatorAction,
  recordAction,
} from "./operator-actions.ts";
export { measureOutbox, type Outbox } from "./outbox.ts";
export { isDatabaseAway, isRetryable, isUniqueViolation, sqlState } from "./pg-errors.ts";
export { findProduct, listProducts, type Product, upsertProducts } from "./products.ts";
export {
  findQueuePause,
  listQueueFigures,
  listQueuePauses,
  type QueueFigures,
  type QueuePause,
  setQueuePaused,
} from "./queue-states.ts";
export { type ForgottenReminder, forgottenReminders } from "./reminders/forgotten.ts";
export { longestLateReminderSeconds } from "./reminders/late.ts";
export { moveReminders } from "./reminders/move-reminders.ts";
export { dayIn, dayPlus, hourOn } from "./reminders/reminder-time.ts";
export {
  findReminderSettings,
  holdReminderSettings,
  isTooLate,
  NO_REMINDERS,
  putReminderSettings,
  type ReminderSettings,
  type ReminderStep,
  type ReminderTemplate,
  reminderPurpose,
  reminderTimes,
} from "./reminders/settings.ts";
export { type CountedRemote, openRemoteStore, remoteCensus } from "./remotes/remote-store.ts";
export { findShutGate, type RemoteChoice, type ShutGate } from "./remotes/shut-gate.ts";
export {
  beginPace,
  claimReplays,
  countPaced,
  type LetterDone,
  letterDone,
  nextLetters,
  stillDriving,
} from "./replays/drive.ts";
export { countReplay, judgeReplay, type ReplayCounts } from "./replays/ends.ts";
export {
  alreadyDone,
  countReplayable,
  type ReplayFilter,
  replayableLetters,
} from "./replays/letters.ts";
export {
  createReplay,
  findActiveReplay,
  findReplay,
  listReplays,
  lockReplay,
  moveReplay,
  type NewReplay,
  type Replay,
  skippedLetters,
  UNDER_WAY,
} from "./replays/replays.ts";
export { hurry } from "./run-store/hurry.ts";
export { openRunStore } from "./run-store/open-run-store.ts";
export type * from "./run-store/port.ts";
export {
  type FirstTick,
  keepSchedules,
  reconcileTimes,
  type ScheduleRule,
} from "./schedules/rules.ts";
export {
  dueSchedules,
  findSchedule,
  lastTicks,
  listSchedules,
  lockSchedule,
  longestOverdueSeconds,
  recordTick,
  type Schedule,
  type ScheduleTick,
  setNextTick,
  takeDueSchedule,
} from "./schedules/ticks.ts";
export type {
  AlertKind,
  ApiScope,
  DeliveryState,
  DriftWinner,
  IncidentState,
  InvoiceRunItemState,
  InvoiceRunState,
  InvoiceState,
  LetterState,
  ReplayState,
  Schema,
} from "./schema.ts";
export type { CompanyScope } from "./scope.ts";
export { isSuppressed, suppress, unsuppress } from "./suppressions.ts";
export { attemptsOfRun } from "./triage/attempts.ts";
export {
  alertsOf,
  decideIncident,
  extentOf,
  findIncident,
  type Incident,
  type IncidentExtent,
  type IncidentFilter,
  listIncidents,
  lockIncident,
  type ToldAlert,
} from "./triage/incidents.ts";
export {
  findLetter,
  type Letter,
  type LetterFilter,
  type LetterSummary,
  listLetters,
  lockLetter,
  type Settlement,
  settleLetter,
} from "./triage/letters.ts";
export { type LetterLineage, lineageOf } from "./triage/lineage.ts";
export { findLiveRun, findLiveTwin, type LiveRun } from "./triage/live-run.ts";
export { invoiceTimeline, type TimelineEntry } from "./triage/timeline.ts";
export {
  type DeliveryFilter,
  findDeliveries,
  lockDelivery,
  openLettersOfMail,
  settleUncertain,
} from "./triage/uncertain-deliveries.ts";
export { uuidv7 } from "./uuidv7.ts";
