import {
  type Asked,
  type CompanyScope,
  type Database,
  findInvoiceHeads,
  groupCommit,
  type Invoice,
  type Tx,
} from "@ballast/database";
import type { Dispatcher, Requests } from "@ballast/jobs";
import { Problem } from "../http/problem.ts";
import { askForPdfs, refuseUnrenderable, type Wisher } from "./invoice-work.ts";

export interface RenderWish extends Wisher {
  readonly invoiceId: string;
  /** Whose invoices the caller may see. */
  readonly scope: CompanyScope;
}

/**
 * Ask for one PDF. Resolves once it is committed, together with all that were asked for while the commit before
 * was under way.
 *
 * @throws {Problem} of this wish alone: `not-found`, `invoice-not-issued`, `invoice-state`
 */
export type RenderWishes = (wish: RenderWish) => Promise<Asked>;

interface Deps {
  readonly database: Pick<Database, "transaction">;
  readonly requests: Requests<Tx>;
  readonly dispatcher: Pick<Dispatcher, "nudge">;
}

export function groupRenderWishes({ database, requests, dispatcher }: Deps): RenderWishes {
  const ask = groupCommit<RenderWish, Asked | Problem>({
    keyOf: () => "",
    async commit(group) {
      const outcomes = await database.transaction((tx) => askTogether(tx, requests, group));
      dispatcher.nudge();
      return outcomes;
    },
  });
  return async (wish) => {
    const outcome = await ask(wish);
    if (outcome instanceof Problem) throw outcome;
    return outcome;
  };
}

async function askTogether(
  tx: Tx,
  requests: Requests<Tx>,
  group: readonly RenderWish[],
): Promise<Array<Asked | Problem>> {
  const found = await findInvoiceHeads(tx, [...new Set(group.map(({ invoiceId }) => invoiceId))]);
  const heads = new Map(found.map((invoice) => [invoice.id, invoice]));
  const outcomes: Array<Asked | Problem | undefined> = [];
  const taken: Array<Wisher & { readonly invoice: Invoice }> = [];
  for (const { scope, invoiceId, ...wisher } of group) {
    const head = heads.get(invoiceId);
    const visible = scope === "all" || head?.companyId === scope ? head : undefined;
    const checked = await refuseUnrenderable(tx, invoiceId, visible).catch(problemOnly);
    const isProblem = checked instanceof Problem;
    outcomes.push(isProblem ? checked : undefined);
    if (!isProblem) taken.push({ ...wisher, invoice: checked });
  }
  const asked = (await askForPdfs(tx, requests, taken)).values();
  return outcomes.map((problem) => problem ?? (asked.next().value as Asked));
}

function problemOnly(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}
