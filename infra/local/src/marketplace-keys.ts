import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The file with the key that marketplace credentials are encrypted with; made once for each data folder. */
export function marketplaceKeys(dataDir: string): string {
  const file = join(dataDir, "marketplace-keys");
  if (!existsSync(file))
    writeFileSync(file, `local:${randomBytes(32).toString("base64")}\n`, { mode: 0o600 });
  return file;
}
