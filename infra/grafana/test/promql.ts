/** What a query names. A reader for the queries we write, no parser of PromQL: promtool judges whether they parse. */
export interface Named {
  readonly metrics: readonly string[];
  /** Labels that a selector of a metric matches, e.g. `queue` in `x{queue="pdf"}`. */
  readonly selected: ReadonlyArray<readonly [metric: string, label: string]>;
  /** Labels of `by (…)` and `on (…)`. */
  readonly grouped: readonly string[];
}

const GROUPING = /\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const WORDS = new Set(["and", "or", "unless", "by", "on", "without", "ignoring", "offset", "bool"]);
const AGGREGATIONS =
  /\b(sum|max|min|avg|count|topk|bottomk|stddev|group|absent)\s*(?:by\s*\([^)]*\))?\s*$/;

export function namedIn(expr: string): Named {
  const plain = withoutTexts(expr);
  const selectors = [...plain.matchAll(/([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}/g)];
  const bare = plain
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, " ")
    .replaceAll(GROUPING, " ")
    .replaceAll(/\boffset\s+\w+/g, " ");
  return {
    metrics: [...bare.matchAll(/(?<![\w:$.])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])/g)]
      .map(([name]) => name)
      .filter((name) => !WORDS.has(name)),
    selected: selectors.flatMap(([, metric = "", matchers = ""]) =>
      [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(
        ([, label = ""]) => [metric, label] as const,
      ),
    ),
    grouped: [...plain.matchAll(GROUPING)].flatMap(([, labels = ""]) =>
      labels
        .split(",")
        .map((label) => label.trim())
        .filter((label) => label !== ""),
    ),
  };
}

/** The aggregation that first takes each mention of `metric` together; `undefined` where none does. */
export function aggregationsOf(metric: string, expr: string): ReadonlyArray<string | undefined> {
  const plain = withoutTexts(expr);
  const mentions = plain.matchAll(new RegExp(`(?<![\\w:])${metric}(?![\\w:])`, "g"));
  return [...mentions].map(({ index }) => nearestAggregation(plain.slice(0, index)));
}

function nearestAggregation(before: string): string | undefined {
  let depth = 0;
  for (let at = before.length - 1; at >= 0; at -= 1) {
    if (before[at] === ")") depth += 1;
    if (before[at] !== "(") continue;
    if (depth > 0) {
      depth -= 1;
      continue;
    }
    const aggregation = AGGREGATIONS.exec(before.slice(0, at));
    if (aggregation !== null) return aggregation[1];
  }
  return undefined;
}

/** What stands in quotes may look like anything. */
const withoutTexts = (expr: string): string => expr.replaceAll(/"[^"]*"|'[^']*'/g, '""');
