import { type CompanyScope, findCompany, type Queryable } from "@ballast/database";
import type { Caller } from "../http/caller.ts";
import { refusal } from "../http/field-errors.ts";
import { notFound } from "../http/problem.ts";

/**
 * Decide which company an upserted row belongs to: the one it has, the one that is named, or the
 * key's own.
 *
 * @throws {Problem} `not-found` where the key does not reach it, `invalid-body` where none is named
 *   or a row would change hands
 */
export async function ownerOf(
  db: Queryable,
  caller: Caller,
  named: string | undefined,
  existing: { readonly companyId: string } | undefined,
): Promise<string> {
  if (existing !== undefined) {
    if (named !== undefined && named !== existing.companyId)
      throw refusal("invalid-body", [
        { path: "companyId", message: `must stay ${existing.companyId}: rows do not change hands` },
      ]);
    return existing.companyId;
  }
  const companyId = named ?? caller.companyId;
  if (companyId === null)
    throw refusal("invalid-body", [
      { path: "companyId", message: "is missing: this key reaches all companies, so name one" },
    ]);
  const reach: CompanyScope = caller.companyId ?? "all";
  if ((await findCompany(db, reach, companyId)) === undefined)
    throw notFound("company", `${companyId}: create it first with PUT /v1/companies/${companyId}`);
  return companyId;
}
