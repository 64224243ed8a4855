import {
  decideIncident,
  type Incident,
  listActions,
  lockIncident,
  recordAction,
  type Tx,
} from "@ballast/database";
import { type Caller, requestedBy, scopeOf } from "../http/caller.ts";
import { notFound, Problem } from "../http/problem.ts";
import { type IncidentAction, incidentActions } from "./incident-actions.ts";

/**
 * Take an incident for a decision, until `tx` ends. It groups deaths of all companies, so a key of one
 * company sees none.
 *
 * @throws {Problem} `not-found`; `incident-state`, with who decided before
 */
export async function incidentFor(
  tx: Tx,
  caller: Caller,
  incidentId: string,
  wanted: IncidentAction["action"],
): Promise<Incident> {
  const incident = scopeOf(caller) === "all" ? await lockIncident(tx, incidentId) : undefined;
  if (incident === undefined) throw notFound("incident", incidentId);
  const action = incidentActions(incident).find((one) => one.action === wanted);
  if (action?.allowed === false)
    throw new Problem(
      "incident-state",
      `incident ${incidentId}: ${action.explanation}${await lastDecision(tx, incidentId)}`,
    );
  return incident;
}

async function lastDecision(tx: Tx, incidentId: string): Promise<string> {
  const target = { targetKind: "incident", targetId: incidentId, limit: 1 };
  const last = (await listActions(tx, "all", target)).actions[0];
  return last === undefined
    ? ""
    : ` (${last.action} by ${last.actor} at ${last.at.toISOString()}: ${last.reason})`;
}

/** Decide about an incident and write that down. */
export async function decide(
  tx: Tx,
  caller: Caller,
  incident: Incident,
  action: string,
  reason: string,
  decision: Parameters<typeof decideIncident>[2],
): Promise<Incident> {
  const decided = await decideIncident(tx, incident, decision);
  await recordDecision(tx, caller, incident, action, reason, factsOf(decided));
  return decided;
}

export const recordDecision = (
  tx: Tx,
  caller: Caller,
  incident: Incident,
  action: string,
  reason: string,
  after: object,
) =>
  recordAction(tx, {
    actor: requestedBy(caller),
    action,
    targetKind: "incident",
    targetId: incident.id,
    companyId: null,
    subject: `incident:${incident.id}`,
    reason,
    before: factsOf(incident),
    after,
  });

const factsOf = ({ state, ignoredUntil, ignoredAbove, ticketUrl, deathCount }: Incident) => ({
  state,
  deathCount: Number(deathCount),
  ignoredUntil,
  ignoredAbove: ignoredAbove === null ? null : Number(ignoredAbove),
  ticketUrl,
});
