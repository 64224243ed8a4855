/** The sum of a metric of one process over all labels but those that are given. */
export async function metricOf(
  opsUrl: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const answer = await fetch(`${opsUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return (await answer.text())
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((pair) => line.includes(pair)))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
