import {
  AmountTooLargeError,
  InvalidDecimalError,
  invoiceTotals,
  lineNetMinor,
  MAX_AMOUNT_MINOR,
  type PricedLine,
  parseQuantity,
  parseTaxRate,
} from "@ballast/database";
import { z } from "zod";

export const MAX_MINOR = Number(MAX_AMOUNT_MINOR);

const decimal = (parse: (text: string) => unknown, message: string) =>
  z
    .string({ error: message })
    .max(30)
    .refine((text) => !fails(() => parse(text), InvalidDecimalError), { error: message });

export const quantity = decimal(
  parseQuantity,
  'must be a decimal in quotes, e.g. "1.5", with at most 12 digits before the point and 6 after',
).meta({
  description:
    "An exact decimal, as text. Negative ones are credits: they may lower the invoice's total, not below 0.",
  example: "12",
});

export const taxRate = decimal(
  parseTaxRate,
  'must be a percentage in quotes from "0" to "100", e.g. "19" or "7.7"',
).meta({ description: "Percent, as text.", example: "19" });

interface Lines {
  readonly lines: ReadonlyArray<Omit<PricedLine, "unitPriceMinor"> & { unitPriceMinor: number }>;
}

/** What no single field shows: amounts that grow too large, and credits that exceed the rest. */
export function checkAmounts({ lines }: Lines, ctx: z.core.$RefinementCtx): void {
  // Reached with bad fields too; those were named already.
  if (!lines.every(isReadable)) return;
  const priced = lines.map((line) => ({ ...line, unitPriceMinor: BigInt(line.unitPriceMinor) }));
  const refuse = (path: Array<string | number>, message: string, limit: number) =>
    ctx.issues.push({ code: "custom", path, message, params: { limit }, input: undefined });

  const tooLarge = priced.flatMap((line, index) =>
    fails(() => lineNetMinor(line), AmountTooLargeError) ? [index] : [],
  );
  for (const index of tooLarge)
    refuse(["lines", index, "unitPriceMinor"], `times quantity exceeds ${MAX_MINOR}`, MAX_MINOR);
  if (tooLarge.length > 0) return;
  if (fails(() => invoiceTotals(priced), AmountTooLargeError)) {
    refuse(["lines"], `add up to more than ${MAX_MINOR} minor units`, MAX_MINOR);
    return;
  }
  const { grossMinor } = invoiceTotals(priced);
  if (grossMinor >= 0n) return;
  for (const [index, { quantity, unitPriceMinor }] of priced.entries()) {
    const field = quantity.startsWith("-") ? "quantity" : "unitPriceMinor";
    if (field === "unitPriceMinor" && unitPriceMinor >= 0n) continue;
    const message = `is negative and takes the invoice's total to ${grossMinor}: credits must not exceed the other lines`;
    refuse(["lines", index, field], message, 0);
  }
}

const isReadable = ({ quantity, taxRate, unitPriceMinor }: Lines["lines"][number]): boolean =>
  Number.isSafeInteger(unitPriceMinor) &&
  !fails(() => parseQuantity(quantity), InvalidDecimalError) &&
  !fails(() => parseTaxRate(taxRate), InvalidDecimalError);

function fails(compute: () => unknown, as: abstract new (...args: never[]) => Error): boolean {
  try {
    compute();
    return false;
  } catch (error) {
    if (error instanceof as) return true;
    throw error;
  }
}
