/** The middle of some numbers; between the two middle ones if they are even in count. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5);
}

/**
 * @param share in [0, 1]; 0.99 is the value that 99 % of the numbers do not exceed, interpolated between neighbours
 * @throws {RangeError} without numbers
 */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  if (sorted.length === 0) throw new RangeError("no number has no quantile");
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? 0;
  const above = sorted[Math.ceil(at)] ?? 0;
  return below + (above - below) * (at - Math.floor(at));
}

/** How far apart they lie: (largest - smallest) / median; 0 for one. */
export function spread(numbers: readonly number[]): number {
  return (Math.max(...numbers) - Math.min(...numbers)) / median(numbers);
}

/** Least-squares slope of `ys` over `xs`, per unit of x. */
export function slope(xs: readonly number[], ys: readonly number[]): number {
  const meanX = mean(xs);
  const meanY = mean(ys);
  const over = xs.reduce((sum, x, n) => sum + (x - meanX) * ((ys[n] ?? meanY) - meanY), 0);
  const under = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  return under === 0 ? 0 : over / under;
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
