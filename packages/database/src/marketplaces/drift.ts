import type { DriftWinner } from "../schema.ts";

/** One of our listings, as far as a comparison needs it. */
export interface ComparedListing {
  readonly sku: string;
  readonly externalId: string;
  /** What they shall hold. */
  readonly ours: number;
  readonly version: bigint;
  /** What they last confirmed; `null` if they never did. */
  readonly confirmed: number | null;
  /** They were not told yet. */
  readonly isDirty: boolean;
  /** It was told while they were read, so that what was read may be older. */
  readonly isMoving: boolean;
  /** Since it was last found in agreement. */
  readonly corrections: number;
}

/** A listing whose three sides do not agree, and what becomes of it. */
export interface DriftItem {
  readonly sku: string;
  readonly externalId: string;
  /** `drifted`: they changed by themselves; `both_changed`: so did we; `missing`: they do not list it. */
  readonly kind: "drifted" | "both_changed" | "missing";
  readonly ours: number;
  readonly confirmed: number | null;
  readonly theirs: number | null;
  /**
   * `push`: ours is told again. `adopt`: theirs becomes ours. `give_up`: it was corrected as often as its
   * account allows and drifted again, so something over there fights back. `none`: what is on its way mends it,
   * or nothing here can.
   */
  readonly action: "push" | "adopt" | "give_up" | "none";
}

export interface DriftRule {
  readonly winner: DriftWinner;
  readonly maxCorrections: number;
  /** Which of their articles a listing's external id stands for; several may stand for one. Default: the same. */
  readonly idThere?: (externalId: string) => string;
}

export interface ThreeWayDiff {
  readonly items: readonly DriftItem[];
  /** They hold what they shall. */
  readonly inAgreement: readonly ComparedListing[];
  /** A change of ours is on its way: nobody's drift. */
  readonly pending: readonly ComparedListing[];
  /** Their articles that none of our listings names. */
  readonly unknown: number;
}

/**
 * Compare ours, what they last confirmed, and theirs. Pure.
 *
 * What differs from the last confirmed side is who changed: only ours, and it is on its way; only theirs, and
 * that is drift; both, and the winner decides. Each listing ends in exactly one of the three lists.
 *
 * @param theirs what they hold, by their ids
 */
export function threeWayDiff(
  listings: readonly ComparedListing[],
  theirs: ReadonlyMap<string, number>,
  rule: DriftRule,
): ThreeWayDiff {
  const items: DriftItem[] = [];
  const inAgreement: ComparedListing[] = [];
  const pending: ComparedListing[] = [];
  const found = new Set<string>();
  const { idThere = (externalId) => externalId } = rule;
  for (const listing of listings) {
    const { sku, externalId, ours, confirmed, isDirty, isMoving } = listing;
    const id = idThere(externalId);
    const held = theirs.get(id);
    if (held !== undefined) found.add(id);
    if (isMoving) pending.push(listing);
    else if (held === undefined)
      items.push({
        sku,
        externalId,
        kind: "missing",
        ours,
        confirmed,
        theirs: null,
        action: "none",
      });
    else if (held === ours) inAgreement.push(listing);
    else if (isDirty && (confirmed === null || held === confirmed)) pending.push(listing);
    else
      items.push({
        sku,
        externalId,
        kind: isDirty ? "both_changed" : "drifted",
        ours,
        confirmed,
        theirs: held,
        action: actionFor(listing, rule),
      });
  }
  return { items, inAgreement, pending, unknown: theirs.size - found.size };
}

function actionFor(
  { isDirty, corrections }: ComparedListing,
  { winner, maxCorrections }: DriftRule,
): DriftItem["action"] {
  // What we changed is told anyway, and overwrites theirs.
  if (winner === "ours" && isDirty) return "none";
  if (corrections >= maxCorrections) return "give_up";
  return winner === "ours" ? "push" : "adopt";
}
