import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { catalogue } from "../src/catalogue.ts";
import { editsOf } from "../src/sabotage/sabotage.ts";
import * as tuning from "../src/tuning.ts";

const root = join(import.meta.dirname, "../../..");
const sabotages = catalogue.flatMap(({ sabotages }) => sabotages.flatMap(editsOf));

test.each([...sabotages, ...Object.values(tuning).flat()])(
  "what a drill replaces stands once in $file: $find",
  ({ file, find }) => {
    expect(readFileSync(join(root, file), "utf8").split(find)).toHaveLength(2);
  },
);
