import { deadLetter, email, marketplaceSync, pdf } from "@ballast/contracts";
import type { RemoteChoice, RunView } from "@ballast/database";

/** The remotes that a run may wait for, by what it is about and which queue it is of. */
export function remotesOf({
  queue,
  subject,
  payload,
}: Pick<RunView, "queue" | "subject" | "payload">): RemoteChoice[] {
  const [about, accountId] = subject?.split(":") ?? [];
  if (queue === marketplaceSync.name && about === "marketplace-account" && accountId !== undefined)
    return [{ kind: "marketplace", key: accountId }];
  if (queue === email.name) return [{ kind: "smtp" }, { kind: "storage" }];
  if (queue === pdf.name) return [{ kind: "storage" }];
  const { channel } = payload;
  if (queue === deadLetter.name && typeof channel === "string")
    return [{ kind: "channel", key: channel }];
  return [];
}
