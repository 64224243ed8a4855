import { type Letter, recordAction, settleLetter, type Tx } from "@ballast/database";

/** Close a locked, open letter without doing its work, and write that down. */
export async function discardLetter(
  tx: Tx,
  letter: Letter,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<void> {
  await settleLetter(tx, letter.runId, { state: "discarded", by, reason });
  await recordAction(tx, {
    actor: by,
    action: "discard-letter",
    targetKind: "letter",
    targetId: letter.runId,
    companyId: letter.companyId,
    subject: letter.subject,
    reason,
    before: { state: "open" },
    after: { state: "discarded" },
  });
}
