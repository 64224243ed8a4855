import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DrillOptions } from "./options.ts";
import type { DrillLine } from "./run-drill.ts";

/** What people and programs see of a run: progress on stderr, results on stdout. */
export interface Report {
  begin(name: string): void;
  tell(what: string): void;
  line(line: DrillLine): void;
  /** @returns whether all is well */
  end(): boolean;
}

const README = join(import.meta.dirname, "../README.md");

/** A fault upstream is no news if the README's table has a row for the drill. */
const isKnown = ({ drill }: DrillLine, readme: string): boolean =>
  readme.split("\n").some((row) => row.startsWith("|") && row.split("|")[1]?.trim() === drill);

/** `ok` of a line decides, but for a fault upstream that the README lists. */
export function openReport({ json, drills }: DrillOptions): Report {
  const lines: DrillLine[] = [];
  const began = performance.now();
  const isTerminal = process.stderr.isTTY === true;
  let current = "";

  const tell = (what: string) => {
    if (isTerminal)
      process.stderr.write(`\r\u001b[2K${bar(lines.length, drills.length)} ${current}: ${what}`);
    else process.stderr.write(`${current}: ${what}\n`);
  };
  return {
    begin(name) {
      current = name;
      tell("starts");
    },
    tell,
    line(line) {
      lines.push(line);
      if (isTerminal) process.stderr.write("\r\u001b[2K");
      console.log(json ? JSON.stringify(line) : textOf(line));
    },
    end() {
      const readme = readFileSync(README, "utf8");
      const bad = lines.filter((line) =>
        line.status === "upstream" ? !isKnown(line, readme) : !line.ok,
      );
      const seconds = ((performance.now() - began) / 1_000).toFixed(0);
      process.stderr.write(
        `${lines.length - bad.length} of ${lines.length} hold, in ${seconds} s\n`,
      );
      return bad.length === 0;
    },
  };
}

function textOf({ drill, engine, status, figures, elapsedMs, why = [] }: DrillLine): string {
  const numbers = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  return [
    `${status.padEnd(15)}${drill.padEnd(28)}${engine.padEnd(10)}${(elapsedMs / 1_000).toFixed(1)} s`,
    ...(numbers.length > 0 ? [`    ${numbers.join(", ")}`] : []),
    ...why.map((reason) => `    ${reason}`),
  ].join("\n");
}

function bar(done: number, all: number): string {
  const width = 20;
  const full = Math.round((done / Math.max(1, all)) * width);
  return `[${"#".repeat(full)}${"-".repeat(width - full)}] ${done}/${all}`;
}
