import type { Generated, GeneratedAlways } from "kysely";
import type { DriftItem } from "../marketplaces/drift.ts";
import type { Json, Timestamp } from "./columns.ts";

export type DriftWinner = "ours" | "theirs";

/** Whom we call, what they should have in stock, and what they have. */
export interface MarketplaceTables {
  remotes: {
    kind: string;
    key: string;
    gate: Generated<"open" | "closed" | "ramping">;
    failures: Generated<number>;
    probes: Generated<number>;
    successes: Generated<number>;
    closedAt: Date | null;
    code: string | null;
    message: string | null;
    nextProbeAt: Date | null;
    opensAt: Date | null;
    capacity: number | null;
    restorePerSecond: number | null;
    tokens: Generated<number>;
    tokensAt: Timestamp;
    blockedUntil: Date | null;
    resetsAt: Date | null;
    changedAt: Timestamp;
  };
  marketplaceAccounts: {
    id: string;
    companyId: string;
    kind: string;
    name: string;
    settings: Json<Record<string, unknown>>;
    credentials: Buffer;
    credentialsKeyId: string;
    credentialsSetAt: Timestamp;
    paused: Generated<boolean>;
    minPushIntervalMs: Generated<number>;
    reconcileCron: string | null;
    reconcileTimeZone: string | null;
    driftWinner: Generated<DriftWinner>;
    maxCorrections: Generated<number>;
    lastPushAt: Date | null;
    pushUnfinished: Generated<boolean>;
    maxBatch: number | null;
    createdAt: Timestamp;
    updatedAt: Timestamp;
  };
  stock: {
    companyId: string;
    sku: string;
    quantity: number;
    version: Generated<bigint>;
    updatedAt: Timestamp;
  };
  listings: {
    accountId: string;
    companyId: string;
    sku: string;
    externalId: string;
    desiredQuantity: number | null;
    desiredVersion: Generated<bigint>;
    confirmedQuantity: number | null;
    confirmedVersion: Generated<bigint>;
    confirmedAt: Date | null;
    dirty: GeneratedAlways<boolean>;
    dirtySince: Date | null;
    urgent: Generated<boolean>;
    triedAt: Date | null;
    settledAt: Date | null;
    failures: Generated<number>;
    failedCode: string | null;
    failedMessage: string | null;
    retryAt: Date | null;
    rejectedAt: Date | null;
    rejectedCode: string | null;
    rejectedMessage: string | null;
    corrections: Generated<number>;
  };
  driftReports: {
    id: string;
    accountId: string;
    companyId: string;
    startedAt: Date;
    finishedAt: Timestamp;
    listed: number;
    compared: number;
    inAgreement: number;
    pending: number;
    drifted: number;
    corrected: number;
    givenUp: number;
    missing: number;
    unknown: number;
    items: Json<DriftItem[]>;
  };
}
