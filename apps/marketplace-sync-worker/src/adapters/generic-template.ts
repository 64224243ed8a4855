import type { StockItem } from "./adapter.ts";

/** Dots alone would climb up, encoded or not. */
export const isPathSegment = (value: string): boolean => !["", ".", ".."].includes(value);

/** A path with its {externalId}, {sku} and {cursor}; values are encoded, so that none adds a segment or a query. */
export const filledPath = (path: string, item: StockItem | undefined, cursor = ""): string =>
  path.replace(/\{(externalId|sku|cursor)\}/g, (_, name: "externalId" | "sku" | "cursor") =>
    encodeURIComponent(name === "cursor" ? cursor : (item?.[name] ?? "")),
  );

/** A body after its template: `{"$each": …}` becomes a list with one entry for each item. */
export function filledBody(template: unknown, items: readonly StockItem[]): unknown {
  return filled(template, items, items[0]);
}

function filled(
  template: unknown,
  items: readonly StockItem[],
  item: StockItem | undefined,
): unknown {
  if (typeof template === "string") return value(template, item);
  if (Array.isArray(template)) return template.map((entry) => filled(entry, items, item));
  if (typeof template !== "object" || template === null) return template;
  if (Object.hasOwn(template, "$each")) {
    const { $each: each } = template as { $each: unknown };
    return items.map((one) => filled(each, [one], one));
  }
  return Object.fromEntries(
    Object.entries(template).map(([key, entry]) => [key, filled(entry, items, item)]),
  );
}

/** A text that is a placeholder alone keeps its value's type: quantities stay numbers. */
function value(template: string, item: StockItem | undefined): unknown {
  if (item === undefined) return template;
  if (template === "{quantity}") return item.quantity;
  return template.replace(
    /\{(externalId|sku|quantity)\}/g,
    (_, name: "externalId" | "sku" | "quantity") => String(item[name]),
  );
}
