import type { Incident, IncidentExtent, ToldAlert } from "@ballast/database";
import { z } from "zod";
import type { IncidentAction } from "../triage/incident-actions.ts";
import { moment, uuid } from "./text.ts";
import { instant, reason } from "./triage.ts";

export const IncidentState = z.enum(["open", "ticketed", "resolved", "ignored"]);

const count = z.int().min(0);

const summary = {
  incidentId: uuid("The incident"),
  queue: z.string(),
  job: z.string(),
  code: z.string().nullable(),
  title: z.string().meta({
    description: "What its deaths have in common; what differs is in angle brackets.",
    example: "no invoice <uuid>",
  }),
  fingerprint: z.string(),
  state: IncidentState,
  deathCount: count,
  firstSeenAt: moment,
  lastSeenAt: moment,
  resolvedAt: moment.nullable(),
  ignored: z
    .object({ until: moment.nullable(), above: count.nullable() })
    .nullable()
    .meta({ description: "Until then, or until there are more deaths than that." }),
  reopenedCount: count,
  workerVersions: z.array(z.string()),
  remote: z
    .object({
      kind: z.string(),
      key: z.string(),
      name: z.string(),
      closedAt: moment,
      openedAt: moment.nullable(),
    })
    .nullable()
    .meta({
      description:
        "Of an incident that is no deaths but a remote that is not called: which, since when and, once it is called again, until when. Each closing counts as a death.",
    }),
  ticket: z
    .object({ system: z.string().nullable(), id: z.string().nullable(), url: z.string() })
    .nullable(),
};

const IncidentSummaryBody = z.object(summary).meta({ id: "IncidentSummary" });

export const IncidentListBody = z.object({
  incidents: z.array(IncidentSummaryBody),
  nextCursor: z.string().nullable().meta({ description: "`null` on the last page." }),
});

export const IncidentBody = z
  .object({
    ...summary,
    letters: z
      .object({ open: count, replayed: count, discarded: count })
      .meta({ description: "Those that are kept; `/v1/dead-letters?incidentId=` lists them." }),
    subjects: z.array(z.string()).meta({ description: "Of the latest deaths; 20 at most." }),
    subjectCount: count,
    alerts: z.array(
      z.object({
        alertId: z.string(),
        kind: z.enum(["opened", "grown", "reopened", "resolved"]),
        deathCount: count,
        at: moment,
        toldTo: z.array(z.object({ channel: z.string(), at: moment })),
        overtakenOn: z.array(z.object({ channel: z.string(), at: moment })).meta({
          description: "Not told there: a later alert had made it untrue before it was sent.",
        }),
      }),
    ),
    actions: z.array(
      z.object({
        action: z.enum(["ticket", "resolve", "ignore", "reopen"]),
        allowed: z.boolean(),
        explanation: z.string(),
      }),
    ),
  })
  .meta({ id: "Incident" });

export const IgnoreInput = z
  .strictObject({
    reason,
    until: instant("It opens again with the first death after this."),
    above: z.int().min(0).max(1_000_000_000).optional().meta({
      description: "It opens again once there are more deaths than this, in all.",
    }),
  })
  .refine(({ until }) => until === undefined || until.getTime() > Date.now(), {
    path: ["until"],
    message: "must be in the future",
  })
  .refine(({ until, above }) => until !== undefined || above !== undefined, {
    path: ["until"],
    message: "is missing, and `above` too: say until when, or up to how many deaths",
  })
  .meta({ id: "IgnoreInput" });

export function incidentSummaryBody(incident: Incident) {
  const { ignoredUntil, ignoredAbove, ticketUrl } = incident;
  const { remoteKind: kind, remoteKey: key, remoteName: name, gateClosedAt: closedAt } = incident;
  return {
    incidentId: incident.id,
    queue: incident.queue,
    job: incident.job,
    code: incident.code,
    title: incident.title,
    fingerprint: incident.fingerprint,
    state: incident.state,
    deathCount: Number(incident.deathCount),
    firstSeenAt: incident.firstSeenAt,
    lastSeenAt: incident.lastSeenAt,
    resolvedAt: incident.resolvedAt,
    ignored:
      incident.state !== "ignored"
        ? null
        : { until: ignoredUntil, above: ignoredAbove === null ? null : Number(ignoredAbove) },
    reopenedCount: incident.reopenedCount,
    workerVersions: incident.workerVersions,
    remote:
      kind === null || key === null || name === null || closedAt === null
        ? null
        : { kind, key, name, closedAt, openedAt: incident.gateOpenedAt },
    ticket:
      ticketUrl === null
        ? null
        : { system: incident.ticketSystem, id: incident.ticketId, url: ticketUrl },
  };
}

interface IncidentStory {
  readonly incident: Incident;
  readonly extent: IncidentExtent;
  readonly alerts: readonly ToldAlert[];
  readonly actions: readonly IncidentAction[];
}

export const incidentBody = ({ incident, extent, alerts, actions }: IncidentStory) => ({
  ...incidentSummaryBody(incident),
  letters: { ...extent.letters },
  subjects: extent.subjects,
  subjectCount: extent.subjectCount,
  alerts: alerts.map(({ alertId, kind, deathCount, createdAt, toldTo, overtakenOn }) => ({
    alertId,
    kind,
    deathCount: Number(deathCount),
    at: createdAt,
    toldTo: toldTo.map(({ channel, sentAt }) => ({ channel, at: sentAt })),
    overtakenOn: overtakenOn.map(({ channel, sentAt }) => ({ channel, at: sentAt })),
  })),
  actions: actions.map((one) => ({ ...one })),
});
