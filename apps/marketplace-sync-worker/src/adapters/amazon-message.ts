import type { StockItem } from "./adapter.ts";
import { at, text } from "./json.ts";

/** Stock of the seller's own warehouse, the same in a call and in a feed. */
export const stockPatch = ({ quantity }: StockItem): object => ({
  op: "replace",
  path: "/attributes/fulfillment_availability",
  value: [{ fulfillment_channel_code: "DEFAULT", quantity }],
});

/** An issue's code and words; its code is a number of Amazon's. */
export const told = (issue: unknown): [code: string, message: string] => [
  `amazon_${text(at(issue, "code")) ?? "invalid"}`,
  text(at(issue, "message")) ?? "",
];
