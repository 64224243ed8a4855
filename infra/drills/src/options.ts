import { parseArgs } from "node:util";
import { type EngineKind, findRedis } from "@ballast/local";
import type { Drill, Size } from "./drill.ts";

export interface DrillOptions {
  readonly drills: readonly Drill[];
  readonly engine: EngineKind;
  readonly size: Size;
  readonly seed: number;
  readonly json: boolean;
  readonly list: boolean;
  /** Take each protection away and expect the drill to fail. */
  readonly prove: boolean;
  /** `[n, of]`: prove only every `of`th sabotage, beginning with the `n`th. */
  readonly part: readonly [number, number];
  readonly writeResults: boolean;
  /** Run a drill that failed once more, since its bounds on time may have met a busy moment. */
  readonly again: boolean;
}

/** @throws {Error} that says what is wrong and what is possible */
export function readOptions(args: readonly string[], catalogue: readonly Drill[]): DrillOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      engine: { type: "string" },
      seed: { type: "string" },
      json: { type: "boolean", default: false },
      short: { type: "boolean", default: false },
      prove: { type: "boolean", default: false },
      part: { type: "string", default: "1/1" },
      list: { type: "boolean", default: false },
      again: { type: "boolean", default: false },
      "write-results": { type: "boolean", default: false },
    },
  });
  const engine = values.engine ?? (findRedis() === undefined ? "postgres" : "redis");
  if (engine !== "redis" && engine !== "postgres")
    throw new Error(`--engine ${engine}: it is redis or postgres`);
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error(`--seed ${values.seed}: it is a whole number`);
  const [, nth, of] = /^(\d+)\/(\d+)$/.exec(values.part) ?? [];
  const part = [Number(nth), Number(of)] as const;
  if (!(part[0] >= 1 && part[0] <= part[1]))
    throw new Error(`--part ${values.part}: it is n/of, e.g. 1/3`);
  const unknown = positionals.find((name) => !catalogue.some((drill) => drill.name === name));
  if (unknown !== undefined)
    throw new Error(
      `there is no drill "${unknown}"; there are ${catalogue.map(({ name }) => name).join(", ")}`,
    );
  const chosen = catalogue.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  // Of a short pass over all, PostgreSQL takes the half that is marked for it.
  const isHalf = engine === "postgres" && values.short && positionals.length === 0;
  return {
    drills: isHalf ? chosen.filter(({ shortOnPostgres }) => shortOnPostgres) : chosen,
    engine,
    size: values.short || values.prove ? "short" : "full",
    seed,
    json: values.json,
    list: values.list,
    prove: values.prove,
    part,
    writeResults: values["write-results"],
    again: values.again,
  };
}
