import { seeded } from "./seeded.ts";

/** What a marketplace holds: its listings, under its own ids, each with a quantity. */
export interface Shelf {
  /** By our SKU. */
  readonly stock: ReadonlyMap<string, number>;
  /** Listings in a fixed order, as they would be listed. */
  readonly listings: readonly Listing[];
  externalId(sku: string): string;
  quantityOf(externalId: string): number | undefined;
  /** Set it; `false` if there is no such listing. One that fights back says yes and stays what it was. */
  write(externalId: string, quantity: number): boolean;
  /** Change a share of the listings, as sales elsewhere do. Returns their SKUs. */
  drift(share: number): readonly string[];
  /** From now on these stay at what they hold, whatever is written. */
  fightBack(skus: readonly string[]): void;
}

export interface Listing {
  readonly sku: string;
  readonly externalId: string;
}

export function openShelf(
  initial: Readonly<Record<string, number>>,
  { seed, idOf }: { readonly seed: number; readonly idOf: (sku: string, n: number) => string },
): Shelf {
  const random = seeded(seed);
  const stock = new Map(Object.entries(initial));
  const listings = [...stock.keys()].map((sku, n) => ({ sku, externalId: idOf(sku, n) }));
  const skus = new Map(listings.map(({ sku, externalId }) => [externalId, sku]));
  const ids = new Map(listings.map(({ sku, externalId }) => [sku, externalId]));
  const stubborn = new Set<string>();

  return {
    stock,
    listings,
    externalId(sku) {
      const id = ids.get(sku);
      if (id === undefined) throw new RangeError(`no listing for ${sku}`);
      return id;
    },
    quantityOf: (externalId) => stock.get(skus.get(externalId) ?? ""),
    write(externalId, quantity) {
      const sku = skus.get(externalId);
      if (sku === undefined) return false;
      if (!stubborn.has(sku)) stock.set(sku, quantity);
      return true;
    },
    drift(share) {
      const changed = listings.filter(() => random() < share).map(({ sku }) => sku);
      for (const sku of changed) {
        const before = stock.get(sku) ?? 0;
        stock.set(sku, before === 0 ? 1 + Math.floor(random() * 5) : before - 1);
      }
      return changed;
    },
    fightBack(these) {
      stubborn.clear();
      for (const sku of these) stubborn.add(sku);
    },
  };
}
