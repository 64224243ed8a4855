import type { Migration } from "kysely/migration";
import { business } from "./0001-business.ts";
import { effects } from "./0002-effects.ts";
import { access } from "./0003-access.ts";
import { jobRuns } from "./0004-job-runs.ts";
import { deadLetters } from "./0005-dead-letters.ts";
import { triage } from "./0006-triage.ts";
import { suspects } from "./0007-suspects.ts";
import { history } from "./0008-history.ts";
import { remotes } from "./0009-remotes.ts";
import { marketplaces } from "./0010-marketplaces.ts";
import { triageFollowUp } from "./0012-triage-follow-up.ts";
import { gateIncidents } from "./0014-gate-incidents.ts";
import { schedules } from "./0015-schedules.ts";
import { reminders } from "./0016-reminders.ts";
import { invoiceRuns } from "./0017-invoice-runs.ts";
import { erasure } from "./0018-erasure.ts";
import { stallsAtStart } from "./0019-stalls-at-start.ts";
import { replaysOfCompanies } from "./0020-replays-of-companies.ts";
import { lettersCounted } from "./0021-letters-counted.ts";
import { alertsInOrder } from "./0022-alerts-in-order.ts";
import { gatesThatOpen } from "./0023-gates-that-open.ts";

/** All migrations by name. A released one is never edited; names sort in the order of application. */
export const migrations: Record<string, Migration> = {
  "0001-business": business,
  "0002-effects": effects,
  "0003-access": access,
  "0004-job-runs": jobRuns,
  "0005-dead-letters": deadLetters,
  "0006-triage": triage,
  "0007-suspects": suspects,
  "0008-history": history,
  "0009-remotes": remotes,
  "0010-marketplaces": marketplaces,
  "0012-triage-follow-up": triageFollowUp,
  "0014-gate-incidents": gateIncidents,
  "0015-schedules": schedules,
  "0016-reminders": reminders,
  "0017-invoice-runs": invoiceRuns,
  "0018-erasure": erasure,
  "0019-stalls-at-start": stallsAtStart,
  "0020-replays-of-companies": replaysOfCompanies,
  "0021-letters-counted": lettersCounted,
  "0022-alerts-in-order": alertsInOrder,
  "0023-gates-that-open": gatesThatOpen,
};
