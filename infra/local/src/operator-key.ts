import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createApiKey, type Database, findApiKey } from "@ballast/database";

export interface OperatorKey {
  readonly key: string;
  /** Where people find it; it is not printed. */
  readonly file: string;
}

/** The API key of this machine's stack, which reaches every company; kept in a file, made anew if it no longer fits. */
export async function operatorKey(database: Database, dataDir: string): Promise<OperatorKey> {
  const file = join(dataDir, "api-key");
  const kept = read(file);
  if (kept && (await findApiKey(database.kysely, kept))) return { key: kept, file };
  const { key } = await createApiKey(database.kysely, {
    name: "local stack",
    companyId: null,
    scopes: ["read", "write", "operate"],
  });
  writeFileSync(file, `${key}\n`, { mode: 0o600 });
  return { key, file };
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
