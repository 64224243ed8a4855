import { sql } from "kysely";
import type { Queryable, Tx } from "./database.ts";
import type { CompanyScope } from "./scope.ts";
import { storableJson, storableText } from "./storable.ts";
import { uuidv7 } from "./uuidv7.ts";

/** What an operator did: who, when, to what, why, and what it was before and after. */
export interface OperatorAction {
  readonly id: string;
  readonly at: Date;
  /** As the journal names callers, e.g. `api-key:ops`. */
  readonly actor: string;
  /** A verb and its object, e.g. `replay-letter`, `pause-queue`. */
  readonly action: string;
  readonly targetKind: string;
  readonly targetId: string;
  readonly companyId: string | null;
  /** The business thing it touched, e.g. `invoice:0190…`; its timeline shows the action. */
  readonly subject: string | null;
  readonly reason: string | null;
  readonly before: unknown;
  readonly after: unknown;
}

export type NewOperatorAction = Omit<OperatorAction, "id" | "at">;

/** Write an action down inside the transaction that does it: neither is ever without the other. */
export async function recordAction(tx: Tx, action: NewOperatorAction): Promise<string> {
  const id = uuidv7();
  await tx
    .insertInto("operatorActions")
    .values({
      ...action,
      id,
      reason: storableText(action.reason),
      before: action.before === null ? null : storableJson(action.before),
      after: action.after === null ? null : storableJson(action.after),
    })
    .execute();
  return id;
}

export interface ActionFilter {
  readonly subject?: string;
  readonly targetKind?: string;
  readonly targetId?: string;
  /** At most this many; default 50. */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

/** Actions in scope, newest first. `nextCursor` is `null` on the last page. */
export async function listActions(
  db: Queryable,
  scope: CompanyScope,
  { subject, targetKind, targetId, limit = 50, cursor }: ActionFilter = {},
): Promise<{ actions: OperatorAction[]; nextCursor: string | null }> {
  let query = db.selectFrom("operatorActions").selectAll();
  if (scope !== "all") query = query.where("companyId", "=", scope);
  if (subject !== undefined) query = query.where("subject", "=", subject);
  if (targetKind !== undefined) query = query.where("targetKind", "=", targetKind);
  if (targetId !== undefined) query = query.where("targetId", "=", targetId);
  if (cursor !== undefined)
    query = query.where(
      sql<boolean>`(at, id) < (SELECT at, id FROM operator_actions WHERE id = ${cursor})`,
    );
  const actions = await query
    .orderBy("at", "desc")
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
  const page = actions.slice(0, limit);
  return { actions: page, nextCursor: actions.length > limit ? (page.at(-1)?.id ?? null) : null };
}
