import type { Generated } from "kysely";
import type { Json, Timestamp } from "./columns.ts";

export type ApiScope = "read" | "write" | "operate";

/** Who may call the API, and what was answered. */
export interface AccessTables {
  apiKeys: {
    id: string;
    name: string;
    prefix: string;
    hash: Buffer;
    companyId: string | null;
    scopes: ApiScope[];
    createdAt: Timestamp;
    revokedAt: Date | null;
    lastUsedAt: Date | null;
  };
  idempotencyKeys: {
    apiKeyId: string;
    key: string;
    owner: string;
    method: string;
    path: string;
    bodyHash: string;
    state: Generated<"in_flight" | "done">;
    status: number | null;
    headers: Json<Record<string, string>> | null;
    body: string | null;
    createdAt: Timestamp;
  };
}
