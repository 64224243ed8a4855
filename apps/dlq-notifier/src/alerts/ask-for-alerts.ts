import { type AlertChannel, sendAlert, updateTicket } from "@ballast/contracts";
import type { Tell, Tx } from "@ballast/database";
import type { Requests } from "@ballast/jobs";

/** Ask for a job per channel, in the transaction that makes the alert: neither is ever without the other. */
export function askForAlerts(requests: Requests<Tx>, channels: readonly AlertChannel[]): Tell {
  // Incidents group deaths of all companies.
  const wish = { companyId: null, requestedBy: "dlq-notifier" };
  return {
    async alert(tx, { id: alertId, incidentId }) {
      for (const channel of channels)
        await requests.ask(tx, sendAlert, { alertId, incidentId, channel }, wish);
    },
    async ticket(tx, incidentId) {
      await requests.ask(tx, updateTicket, { incidentId }, wish);
    },
  };
}
