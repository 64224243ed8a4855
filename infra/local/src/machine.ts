import { findOnPath } from "./engine.ts";

/** A program that tests use if the machine has it. */
interface Tool {
  readonly names: readonly string[];
  readonly aptPackage: string;
  readonly for: string;
}

const tools: readonly Tool[] = [
  {
    names: ["redis-server", "valkey-server"],
    aptPackage: "redis-server",
    for: "the suites about queues run on Redis too, not on PostgreSQL alone",
  },
  { names: ["promtool"], aptPackage: "prometheus", for: "alert rules are tested" },
  {
    names: ["amtool"],
    aptPackage: "prometheus-alertmanager",
    for: "the way of alerts to people is checked",
  },
];

/** What this machine lacks, one line each, with the apt package that brings it. */
export const missingTools = (find: (name: string) => string | undefined = findOnPath): string[] =>
  tools
    .filter(({ names }) => !names.some((name) => find(name)))
    .map(
      (tool) =>
        `this machine has no ${tool.names[0]}: apt-get install ${tool.aptPackage}, and ${tool.for}`,
    );
