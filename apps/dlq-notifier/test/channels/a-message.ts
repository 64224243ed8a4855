import type { IncidentStory } from "@ballast/database";
import { alertMessage } from "../../src/alerts/alert-message.ts";

/** An incident whose every text is hostile or holds what must not leave. */
export const anIncident = (change: Partial<IncidentStory> = {}): IncidentStory => ({
  id: "01a20ad8-dabd-76be-ae7a-3b9325958fca",
  queue: "email",
  fingerprint: "0123456789abcdef0123456789abcdef",
  job: "send-invoice",
  code: "refused",
  title: "<!channel> [pay](https://evil.example) `now` @here refused by Max.Muster@example.org",
  state: "open",
  deathCount: 12n,
  firstSeenAt: new Date("2026-11-24T09:00:00Z"),
  lastSeenAt: new Date("2026-11-24T09:30:00Z"),
  workerVersions: ["1.2.0", "1.3.0"],
  countedFrom: 0n,
  nextAlertAt: 100n,
  ignoredUntil: null,
  ignoredAbove: null,
  resolvedAt: null,
  reopenedCount: 0,
  ticketSystem: null,
  ticketId: null,
  ticketUrl: null,
  ticketToldCount: null,
  ticketWantedCount: null,
  resolvedToldAt: null,
  remoteKind: null,
  remoteKey: null,
  remoteName: null,
  gateClosedAt: null,
  gateOpenedAt: null,
  openLetters: 11,
  subjects: ["invoice:1", "invoice:2"],
  subjectCount: 9,
  latest: {
    runId: "01a20ad8-dabd-735e-8451-bc0803610819",
    version: 1,
    payload: {
      invoiceId: "1",
      customerName: "<private>",
      apiKey: "sk-verysecret",
      note: "write to erika@example.org",
    },
    message: "refused",
    attemptsMade: 1,
    diedAt: new Date("2026-11-24T09:30:00Z"),
    traceparent: null,
  },
  ...change,
});

export const aMessage = (
  kind: "opened" | "grown" | "reopened" | "resolved" = "grown",
  count = 10n,
) =>
  alertMessage(
    {
      alertId: "01a20ad8-dabd-76be-ae7a-00000000000a",
      kind,
      alertedCount: count,
      alertedAt: new Date("2026-11-24T09:31:00Z"),
    },
    anIncident(),
    "https://ballast.example.org/",
  );
