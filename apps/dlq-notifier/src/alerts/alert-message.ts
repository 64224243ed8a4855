import { findContract } from "@ballast/contracts";
import type { AlertKind, findAlert, IncidentStory } from "@ballast/database";
import { AUTH_FAILED } from "@ballast/jobs";
import { scrubJson, scrubText } from "@ballast/service";

/** An alert in words that any channel can put into its own form. Nothing in it is private or secret. */
export interface AlertMessage {
  readonly alertId: string;
  readonly incidentId: string;
  readonly kind: AlertKind;
  readonly severity: "critical" | "error" | "info";
  readonly queue: string;
  readonly job: string;
  readonly code: string | null;
  /** One line that says what happened and where. */
  readonly headline: string;
  /** What all these deaths said, without what differs between them. */
  readonly title: string;
  readonly deathCount: number;
  /** Stays the same for an incident, whatever is told of it. */
  readonly dedupKey: string;
  readonly facts: readonly Fact[];
  /** JSON of the latest payload, or of its shape where its contract does not take it; for channels that have the room. */
  readonly sample: string | null;
  readonly url: string | null;
  readonly at: Date;
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

export type Alert = NonNullable<Awaited<ReturnType<typeof findAlert>>>;

/** From here on, it is no longer one odd job. */
const CRITICAL_FROM = 100n;
const MAX_SAMPLE_LENGTH = 1_000;
const MAX_VALUE_LENGTH = 300;

const count = (n: number | bigint): string => n.toLocaleString("en-GB");
const moment = (at: Date): string => `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
const deaths = (n: bigint): string => (n === 1n ? "1 death" : `${count(n)} deaths`);

const HEADLINES: Record<AlertKind, (job: string, queue: string, died: bigint) => string> = {
  opened: (job, queue, died) => `${job} dies in ${queue}: ${deaths(died)}`,
  grown: (job, queue, died) => `${job} goes on dying in ${queue}: ${deaths(died)}`,
  reopened: (job, queue) => `${job} dies again in ${queue}`,
  resolved: (job, queue) => `${job} in ${queue} is resolved`,
};

/** What is said of an incident whose remote is not called, or is called again. */
export function gateHeadline(incident: IncidentStory): string {
  const name = `${incident.remoteKind} ${incident.remoteName}`;
  if (incident.gateOpenedAt !== null) return `${name} is called again`;
  if (incident.state === "resolved") return `${name} is taken as resolved`;
  return incident.code === AUTH_FAILED
    ? `${name} refuses our credentials`
    : `${name} is not called since ${moment(incident.gateClosedAt ?? incident.lastSeenAt)}`;
}

const isOfGate = ({ remoteKind }: IncidentStory): boolean => remoteKind !== null;

function severityOf(kind: AlertKind, incident: IncidentStory, died: bigint) {
  if (kind === "resolved") return "info";
  const isGrave = isOfGate(incident) ? incident.code === AUTH_FAILED : died >= CRITICAL_FROM;
  return isGrave ? "critical" : "error";
}

/** Put an alert into words; every text is freed of secrets and mail addresses and is bounded. */
export function alertMessage(
  alert: Pick<Alert, "alertId" | "kind" | "alertedCount" | "alertedAt">,
  incident: IncidentStory,
  apiUrl: string | null,
): AlertMessage {
  const died = alert.alertedCount;
  const headline = isOfGate(incident)
    ? gateHeadline(incident)
    : HEADLINES[alert.kind](incident.job, incident.queue, died);
  return {
    alertId: alert.alertId,
    incidentId: incident.id,
    kind: alert.kind,
    severity: severityOf(alert.kind, incident, died),
    queue: incident.queue,
    job: safe(incident.job),
    code: incident.code === null ? null : safe(incident.code),
    headline: safe(headline),
    title: safe(incident.title),
    deathCount: Number(died),
    dedupKey: `ballast:${incident.queue}:${incident.fingerprint}`.slice(0, 255),
    facts: factsOf(incident, died),
    sample: sampleOf(incident),
    url: incidentUrl(apiUrl, incident.id),
    at: alert.alertedAt,
  };
}

export const incidentUrl = (apiUrl: string | null, incidentId: string): string | null =>
  apiUrl === null ? null : `${apiUrl.replace(/\/+$/, "")}/v1/incidents/${incidentId}`;

/** What people ask first. An absent value is not told. */
export const factsOf = (incident: IncidentStory, died: bigint = incident.deathCount): Fact[] =>
  (isOfGate(incident) ? gateFacts(incident, died) : deathFacts(incident, died)).flatMap(
    ([name, value]) => (value === null ? [] : [{ name, value: safe(value) }]),
  );

type Told = readonly (readonly [name: string, value: string | null])[];

function deathFacts(incident: IncidentStory, died: bigint): Told {
  const { subjects, subjectCount } = incident;
  const more = subjectCount - subjects.length;
  const affected = `${subjects.join(", ")}${more > 0 ? ` and ${count(more)} more` : ""}`;
  return [
    ["Queue", incident.queue],
    ["Job", incident.job],
    ["Code", incident.code],
    ["Deaths", count(died)],
    ["Waiting for triage", count(incident.openLetters)],
    ["First seen", moment(incident.firstSeenAt)],
    ["Last seen", moment(incident.lastSeenAt)],
    ["Affected", affected || null],
    ["Worker versions", incident.workerVersions.join(", ") || null],
    ["Ticket", incident.ticketUrl],
  ];
}

function gateFacts(incident: IncidentStory, closings: bigint): Told {
  const { gateClosedAt: since, gateOpenedAt: until } = incident;
  return [
    ["Remote", `${incident.remoteKind} ${incident.remoteKey}`],
    ["Waiting for it", incident.queue],
    ["Code", incident.code],
    ["Not called since", since && moment(since)],
    ["Called again since", until && moment(until)],
    ["Closings told", count(closings)],
    ["Ticket", incident.ticketUrl],
  ];
}

export const sampleOf = ({ latest, queue, job }: IncidentStory): string | null => {
  if (latest === null) return null;
  // Of a payload that is none of ours nobody knows what is private in it, and erasure does not reach a channel.
  const ours = findContract(queue, job)?.payload.safeParse(latest.payload);
  const shown = ours?.success ? scrubJson(ours.data) : shapeOf(scrubJson(latest.payload));
  return clip(JSON.stringify(shown, null, 2), MAX_SAMPLE_LENGTH);
};

/** What a value is made of, without what it says: `{"email":"string","lines":["number"]}`. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return value === null ? null : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, shapeOf(of)]));
}

export const safe = (text: string): string => clip(scrubText(text), MAX_VALUE_LENGTH);

const clip = (text: string, maxLength: number): string =>
  text.length <= maxLength ? text : `${text.slice(0, maxLength - 1).toWellFormed()}…`;
