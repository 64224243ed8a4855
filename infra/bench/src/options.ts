import { parseArgs } from "node:util";
import type { Bench } from "./bench.ts";

export interface BenchOptions {
  readonly benches: readonly Bench[];
  /** Smaller sizes and fewer rounds: all of them in some five minutes. */
  readonly quick: boolean;
  readonly json: boolean;
  readonly list: boolean;
  readonly writeResults: boolean;
}

/** @throws {Error} that says what is wrong and what is possible */
export function readOptions(args: readonly string[], catalogue: readonly Bench[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      "write-results": { type: "boolean", default: false },
    },
  });
  const unknown = positionals.find((name) => !catalogue.some((bench) => bench.name === name));
  if (unknown !== undefined)
    throw new Error(
      `there is no bench "${unknown}"; there are ${catalogue.map(({ name }) => name).join(", ")}`,
    );
  if (values["write-results"] && (values.quick || positionals.length > 0))
    throw new Error("--write-results is for all benches in full size, without --quick and names");
  return {
    benches: catalogue.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    quick: values.quick,
    json: values.json,
    list: values.list,
    writeResults: values["write-results"],
  };
}
