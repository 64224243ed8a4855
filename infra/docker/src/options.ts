import { parseArgs } from "node:util";
import type { Image } from "./image.ts";

export interface ImagesOptions {
  readonly images: readonly Image[];
  /** Build only what changed since this commit. */
  readonly affected: string | undefined;
  /** In place of the Dockerfile's own base. */
  readonly base: string | undefined;
  readonly tryThem: boolean;
  /** Try each app alone beside all others of this commit. */
  readonly beside: string | undefined;
  readonly json: boolean;
}

/** @throws {Error} that says what is wrong and what is possible */
export function readOptions(args: readonly string[], images: readonly Image[]): ImagesOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      affected: { type: "string" },
      base: { type: "string" },
      try: { type: "boolean", default: false },
      beside: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.find((wanted) => !images.some(({ name }) => name === wanted));
  if (unknown !== undefined)
    throw new Error(
      `there is no image "${unknown}"; there are ${images.map(({ name }) => name).join(", ")}`,
    );
  return {
    images: images.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    affected: values.affected,
    base: values.base,
    tryThem: values.try,
    beside: values.beside,
    json: values.json,
  };
}
