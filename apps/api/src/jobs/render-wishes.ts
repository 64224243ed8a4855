import {
  type Asked,
  type CompanyScope,
  type Database,
  findInvoiceHeads,
  groupCommit,
  type Invoice,
  type Queryable,
  type Tx,
} from "@ballast/database";
import type { Requests } from "@ballast/jobs";
import { Problem } from "../http/problem.ts";
import { commitPdfs, refuseUnrenderable, type Wisher } from "./invoice-work.ts";

export interface RenderWish extends Wisher {
  readonly invoiceId: string;
  /** Whose invoices the caller may see. */
  readonly scope: CompanyScope;
}

/**
 * Ask for one PDF. Resolves once it is committed, together with all that were asked for while others were being
 * committed.
 *
 * @throws {Problem} of this wish alone: `not-found`, `invoice-not-issued`, `invoice-state`
 */
export type RenderWishes = (wish: RenderWish) => Promise<Asked>;

interface Deps {
  readonly database: Pick<Database, "kysely">;
  readonly requests: Pick<Requests<Tx>, "commitAll">;
}

export function groupRenderWishes({ database, requests }: Deps): RenderWishes {
  const ask = groupCommit<RenderWish, Asked | Problem>({
    keyOf: () => "",
    underWay: 2,
    commit: (group) => askTogether(database.kysely, requests, group),
  });
  return async (wish) => {
    const outcome = await ask(wish);
    if (outcome instanceof Problem) throw outcome;
    return outcome;
  };
}

async function askTogether(
  db: Queryable,
  requests: Pick<Requests<Tx>, "commitAll">,
  group: readonly RenderWish[],
): Promise<Array<Asked | Problem>> {
  const found = await findInvoiceHeads(db, [...new Set(group.map(({ invoiceId }) => invoiceId))]);
  const heads = new Map(found.map((invoice) => [invoice.id, invoice]));
  const outcomes: Array<Asked | Problem | undefined> = [];
  const taken: Array<Wisher & { readonly invoice: Invoice }> = [];
  for (const { scope, invoiceId, ...wisher } of group) {
    const head = heads.get(invoiceId);
    const visible = scope === "all" || head?.companyId === scope ? head : undefined;
    const checked = await refuseUnrenderable(db, invoiceId, visible).catch(problemOnly);
    const isProblem = checked instanceof Problem;
    outcomes.push(isProblem ? checked : undefined);
    if (!isProblem) taken.push({ ...wisher, invoice: checked });
  }
  const asked = (await commitPdfs(requests, taken)).values();
  return outcomes.map((problem) => problem ?? (asked.next().value as Asked));
}

function problemOnly(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}
