import type { AccessTables } from "./schema/access.ts";
import type { ErpTables } from "./schema/erp.ts";
import type { JobTables } from "./schema/jobs.ts";
import type { MarketplaceTables } from "./schema/marketplaces.ts";
import type { PlannedWorkTables } from "./schema/planned-work.ts";
import type { TriageTables } from "./schema/triage.ts";

export type { ApiScope } from "./schema/access.ts";
export type { DeliveryState, InvoiceState } from "./schema/erp.ts";
export type { DriftWinner } from "./schema/marketplaces.ts";
export type { InvoiceRunItemState, InvoiceRunState } from "./schema/planned-work.ts";
export type { AlertKind, IncidentState, LetterState, ReplayState } from "./schema/triage.ts";

/** Every table by name, in camelCase; the plugin in `database.ts` translates to snake_case. */
export interface Schema
  extends ErpTables,
    AccessTables,
    JobTables,
    TriageTables,
    MarketplaceTables,
    PlannedWorkTables {}
