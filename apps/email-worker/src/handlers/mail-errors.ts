import type { DeliveryFacts } from "@ballast/database";
import {
  DependencyDownError,
  PermanentError,
  RateLimitedError,
  TransientError,
} from "@ballast/jobs";

/** A lease is looked at again a little after its end, or it would be found alive by a hair. */
const AFTER_LEASE_MS = 250;

export const inProgress = (leaseUntil: Date) =>
  new RateLimitedError("delivery_in_progress", "another attempt is sending this very mail", {
    retryAfterMs: Math.max(0, leaseUntil.getTime() - Date.now()) + AFTER_LEASE_MS,
  });

export const refused = (words: string) =>
  new PermanentError(
    "refused",
    `the mail server refused the mail: ${withoutAddresses(words)}; correct what it names, then send again with a reason`,
  );

export const suppressed = (reason: string) =>
  new PermanentError(
    "recipient_suppressed",
    `mail to this recipient is stopped (${reason}): lift the suppression, then send again with a reason`,
  );

export const outcomeUnknown = ({ messageId }: DeliveryFacts, reason: string) =>
  new PermanentError(
    "outcome_unknown",
    `the mail may or may not have arrived (${withoutAddresses(reason)}): look for Message-ID ${messageId} in the mail server's log, or ask the customer; if it did not arrive, send again with a reason`,
  );

/** The next attempt finds the claim's lease run out and calls the mail unknown; this says what is known. */
export const sentNotRecorded = ({ messageId }: DeliveryFacts, response: string, cause: unknown) =>
  new TransientError(
    "sent_not_recorded",
    `the mail server took the mail with Message-ID ${messageId} (${withoutAddresses(response)}), but the ledger could not be written`,
    { cause },
  );

/** People's addresses stay in the ledger; errors and results travel further. */
export const withoutAddresses = (text: string): string =>
  text.replace(/[^\s<>@,;:"']+@[^\s<>@,;:"']+/g, "[mail]");

export const refusedForNow = (words: string) =>
  new TransientError(
    "refused_for_now",
    `the mail server does not take this mail for now: ${withoutAddresses(words)}`,
  );

export const smtpDown = (reason: string) =>
  new DependencyDownError("smtp_down", `the mail server took nothing: ${withoutAddresses(reason)}`);
