import { updateTicket } from "@ballast/contracts";
import {
  alertsOf,
  type Database,
  extentOf,
  findIncident,
  type Incident,
  listIncidents,
  type Queryable,
  type Tx,
} from "@ballast/database";
import type { Dispatcher, Requests } from "@ballast/jobs";
import { z } from "zod";
import { requestedBy, scopeOf } from "../http/caller.ts";
import { type Endpoint, read, write } from "../http/endpoint.ts";
import { refusal } from "../http/field-errors.ts";
import { notFound } from "../http/problem.ts";
import {
  IgnoreInput,
  IncidentBody,
  IncidentListBody,
  IncidentState,
  incidentBody,
  incidentSummaryBody,
} from "../schemas/incident.ts";
import { AcceptedBody, acceptedHeaders } from "../schemas/job.ts";
import { given, paging } from "../schemas/paging.ts";
import { line, uuid } from "../schemas/text.ts";
import { ReasonInput } from "../schemas/triage.ts";
import { decide, incidentFor, recordDecision } from "../triage/decide.ts";
import { incidentActions } from "../triage/incident-actions.ts";

const IncidentParams = z.object({ incidentId: uuid("The incident") });

interface Deps {
  readonly database: Database;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
}

const present = async (db: Queryable, incident: Incident) => ({
  status: 200,
  body: incidentBody({
    incident,
    extent: await extentOf(db, incident.id),
    alerts: await alertsOf(db, incident.id),
    actions: incidentActions(incident),
  }),
});

/** What dead letters have in common, across companies: only keys of all companies see it. */
export const incidentRoutes = ({ database, requests, dispatcher }: Deps): Endpoint[] => [
  read({
    method: "get",
    path: "/v1/incidents",
    operationId: "listIncidents",
    tag: "Triage",
    scope: "read",
    summary: "List incidents, the one seen last first",
    description: "A key of one company sees none, since they group the deaths of all.",
    params: z.object({}),
    query: z.strictObject({
      queue: line(100).optional().meta({ example: "pdf" }),
      state: IncidentState.optional(),
      ...paging,
    }),
    answers: { 200: { description: "A page.", schema: IncidentListBody } },
    problems: [],
    async handle({ caller, query }) {
      const { incidents, nextCursor } =
        scopeOf(caller) === "all"
          ? await listIncidents(database.kysely, given(query))
          : { incidents: [], nextCursor: null };
      return { status: 200, body: { incidents: incidents.map(incidentSummaryBody), nextCursor } };
    },
  }),

  read({
    method: "get",
    path: "/v1/incidents/{incidentId}",
    operationId: "getIncident",
    tag: "Triage",
    scope: "read",
    summary: "Read an incident: how many, whom it touches, who was told, and what can be done",
    params: IncidentParams,
    query: z.object({}),
    answers: { 200: { description: "The incident.", schema: IncidentBody } },
    problems: ["not-found"],
    async handle({ caller, params: { incidentId } }) {
      const db = database.kysely;
      const incident = scopeOf(caller) === "all" ? await findIncident(db, incidentId) : undefined;
      if (incident === undefined) throw notFound("incident", incidentId);
      return await present(db, incident);
    },
  }),

  write({
    method: "post",
    path: "/v1/incidents/{incidentId}/ticket",
    operationId: "ticketIncident",
    tag: "Triage",
    scope: "operate",
    summary: "Open a ticket about an incident, or bring the one it has up to date",
    params: IncidentParams,
    query: z.object({}),
    body: ReasonInput,
    example: { reason: "needs a developer" },
    answers: {
      202: { description: "Asked for.", schema: AcceptedBody, headers: acceptedHeaders },
    },
    problems: ["not-found"],
    async handle({ caller, params: { incidentId }, body: { reason }, traceparent, tx }) {
      const incident = await incidentFor(tx, caller, incidentId, "ticket");
      const asked = await requests.ask(
        tx,
        updateTicket,
        { incidentId },
        { companyId: null, requestedBy: requestedBy(caller), traceparent },
      );
      await recordDecision(tx, caller, incident, "ticket-incident", reason, asked);
      return {
        status: 202,
        headers: { Location: `/v1/jobs/${asked.requestId}` },
        body: { ...asked, job: updateTicket.name },
        committed: () => dispatcher.nudge(),
      };
    },
  }),

  write({
    method: "post",
    path: "/v1/incidents/{incidentId}/resolve",
    operationId: "resolveIncident",
    tag: "Triage",
    scope: "operate",
    summary: "Say that the cause is gone; everybody who was told of it is told of that",
    params: IncidentParams,
    query: z.object({}),
    body: ReasonInput,
    example: { reason: "the template was fixed in 1.2.4" },
    answers: { 200: { description: "Resolved.", schema: IncidentBody } },
    problems: ["not-found", "incident-state"],
    async handle({ caller, params: { incidentId }, body: { reason }, tx }) {
      const incident = await incidentFor(tx, caller, incidentId, "resolve");
      const decision = { state: "resolved" } as const;
      const decided = await decide(tx, caller, incident, "resolve-incident", reason, decision);
      return await present(tx, decided);
    },
  }),

  write({
    method: "post",
    path: "/v1/incidents/{incidentId}/ignore",
    operationId: "ignoreIncident",
    tag: "Triage",
    scope: "operate",
    summary: "Hear no more of an incident until a time or a count",
    description: "Its deaths are parked and counted all the same.",
    params: IncidentParams,
    query: z.object({}),
    body: IgnoreInput,
    example: { reason: "known, and harmless", above: 1_000_000 },
    answers: { 200: { description: "Ignored.", schema: IncidentBody } },
    problems: ["not-found", "incident-state"],
    async handle({ caller, params: { incidentId }, body, tx }) {
      const incident = await incidentFor(tx, caller, incidentId, "ignore");
      const { until = null, above = null, reason } = body;
      if (above !== null && BigInt(above) < incident.deathCount)
        throw refusal("invalid-body", [
          {
            path: "above",
            message: `must be at least ${incident.deathCount}, the deaths so far`,
            limit: Number(incident.deathCount),
          },
        ]);
      const decision = { state: "ignored", until, above } as const;
      const decided = await decide(tx, caller, incident, "ignore-incident", reason, decision);
      return await present(tx, decided);
    },
  }),

  write({
    method: "post",
    path: "/v1/incidents/{incidentId}/reopen",
    operationId: "reopenIncident",
    tag: "Triage",
    scope: "operate",
    summary: "Take back that an incident is resolved or ignored",
    params: IncidentParams,
    query: z.object({}),
    body: ReasonInput,
    example: { reason: "it was not the cause after all" },
    answers: { 200: { description: "Open again.", schema: IncidentBody } },
    problems: ["not-found", "incident-state"],
    async handle({ caller, params: { incidentId }, body: { reason }, tx }) {
      const incident = await incidentFor(tx, caller, incidentId, "reopen");
      const decision = { state: "reopened" } as const;
      const decided = await decide(tx, caller, incident, "reopen-incident", reason, decision);
      return await present(tx, decided);
    },
  }),
];
