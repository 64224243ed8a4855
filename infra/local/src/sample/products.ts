import { nordlicht, prairie } from "./companies.ts";
import { sampleNumbers } from "./identity.ts";

export interface SampleProduct {
  readonly companyId: string;
  readonly sku: string;
  readonly name: string;
  readonly unitPriceMinor: number;
  readonly currency: string;
}

const kinds = [
  ["HB", "Hex bolt, stainless steel A2"],
  ["SC", "Socket cap screw, strength 12.9"],
  ["WS", "Flat washer, zinc plated"],
  ["AN", "Wall anchor, nylon"],
  ["DR", "Cobalt drill, long series"],
  ["SB", "Saw blade, carbide tipped"],
  ["GL", "Work glove, cut resistant"],
  ["TP", "Adhesive tape, fabric"],
  ["CB", "Cable, halogen free"],
  ["LB", "Machine lubricant, food grade"],
] as const;
const sizes = ["M3", "M4", "M5", "M6", "M8", "M10", "M12", "M16", "M20", "M24"];

function catalogue(companyId: string, currency: string, seed: number): SampleProduct[] {
  const next = sampleNumbers(seed);
  return kinds.flatMap(([prefix, kind]) =>
    sizes.map((size, index) => ({
      companyId,
      sku: `${prefix}-${String(index + 1).padStart(3, "0")}`,
      name: `${kind}, ${size}, box of ${[10, 25, 50, 100][Math.floor(next() * 4)]}`,
      unitPriceMinor: 195 + Math.floor(next() * 24_000),
      currency,
    })),
  );
}

/** 100 products of each company, in its own currency. */
export const sampleProducts: readonly SampleProduct[] = [
  ...catalogue(nordlicht.id, "EUR", 1),
  ...catalogue(prairie.id, "USD", 2),
];
