import type { IncidentStory } from "@ballast/database";
import { expect, test } from "vitest";
import { alertMessage } from "../../src/alerts/alert-message.ts";
import { growthComment, ticketDraft } from "../../src/tickets/ticket-draft.ts";
import { anIncident } from "../channels/a-message.ts";

const ofGate = (change: Partial<IncidentStory> = {}): IncidentStory =>
  anIncident({
    queue: "marketplace-sync",
    job: "gate",
    code: "remote_down",
    title: "Shopify answered <n>",
    deathCount: 1n,
    latest: null,
    subjects: [],
    subjectCount: 0,
    workerVersions: [],
    remoteKind: "marketplace",
    remoteKey: "01a20ad8-dabd-76be-ae7a-3b9325958fca",
    remoteName: "Shop of erika@example.org (shopify)",
    gateClosedAt: new Date("2026-11-24T09:00:00Z"),
    gateOpenedAt: null,
    ...change,
  });

const told = (kind: "opened" | "grown" | "resolved", incident: IncidentStory) =>
  alertMessage(
    { alertId: "a", kind, alertedCount: 1n, alertedAt: new Date("2026-11-24T09:15:00Z") },
    incident,
    null,
  );

test("people are told which remote is not called and since when, without an address", () => {
  const message = told("opened", ofGate());
  expect(message).toMatchObject({
    headline: "marketplace Shop of [mail] (shopify) is not called since 2026-11-24 09:00:00 UTC",
    severity: "error",
    sample: null,
  });
  expect(message.facts).toContainEqual({
    name: "Not called since",
    value: "2026-11-24 09:00:00 UTC",
  });
  expect(JSON.stringify(message)).not.toContain("erika@");
});

test("credentials that are refused are critical; the end says since when it is called again", () => {
  const refused = ofGate({ code: "auth_failed" });
  expect(told("opened", refused)).toMatchObject({
    headline: expect.stringMatching(/refuses our credentials$/),
    severity: "critical",
  });
  const resolvedAt = new Date("2026-11-24T09:23:00Z");
  const back = ofGate({ state: "resolved", resolvedAt, gateOpenedAt: resolvedAt });
  expect(told("resolved", back)).toMatchObject({
    headline: expect.stringMatching(/is called again$/),
    severity: "info",
    dedupKey: told("opened", ofGate()).dedupKey,
  });
  const decided = ofGate({ state: "resolved", resolvedAt });
  expect(told("resolved", decided).headline).toMatch(/is taken as resolved$/);
});

test("a ticket speaks of the gate, not of deaths", () => {
  const incident = ofGate({ deathCount: 10n, ticketToldCount: 1n });
  expect(ticketDraft(incident, null).summary).toMatch(/is not called since .*: Shopify answered/);
  expect(growthComment(incident).text).toContain("10 closings of its gate");
});
