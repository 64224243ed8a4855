import type { Migration } from "kysely/migration";
import { business } from "./0001-business.ts";
import { effects } from "./0002-effects.ts";
import { access } from "./0003-access.ts";
import { jobRuns } from "./0004-job-runs.ts";

/** All migrations by name. A released one is never edited; names sort in the order of application. */
export const migrations: Record<string, Migration> = {
  "0001-business": business,
  "0002-effects": effects,
  "0003-access": access,
  "0004-job-runs": jobRuns,
};
