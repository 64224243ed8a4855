import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "@ballast/local";
import { expect, test } from "vitest";
import { apps } from "./apps.ts";

/** Files that say how the images are run by hand. */
const FILES = ["infra/README.md", "infra/docker/README.md", "infra/swarm/stack.yaml"];

/** Each command by which somebody is told to let Docker or a Swarm run `program` of an image. */
const commandsOf = (program: string): string[] =>
  FILES.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8").replace(/\\\n\s*/g, "");
    return [...text.matchAll(/docker (?:service create|run) [^\n`]*/g)]
      .map(([command]) => command)
      .filter((command) => new RegExp(`[/:]\\S+ ${program}\\b`).test(command));
  });

test("migrations are not asked for their health: no ops port answers while they run, and a Swarm would kill them", () => {
  const commands = commandsOf("migrate");
  expect(commands).toHaveLength(FILES.length);
  for (const command of commands) expect(command).toContain(" --no-healthcheck ");
});

test("a Swarm's migrations know both stores, of which either may need tables", () => {
  const command = commandsOf("migrate").find((one) => one.includes("--name ballast-migrate"));
  for (const store of ["database", "queue"]) {
    expect(command).toContain(`--secret source=ballast_${store}_url_1,target=${store}_url `);
    expect(command).toContain(`--env ${store.toUpperCase()}_URL_FILE=/run/secrets/${store}_url `);
  }
});

test("after each update on a Swarm, which asks for life alone, somebody asks whether its stores answer", () => {
  const lines = readFileSync(join(root, "infra/README.md"), "utf8").split("\n");
  const updates = lines.flatMap((line, at) =>
    line.startsWith("docker service update --image ") ? [at] : [],
  );
  expect(updates).toHaveLength(2);
  for (const at of updates) {
    const [service = ""] = lines[at]?.match(/ballast_[a-z-]+$/) ?? [];
    expect(lines[at + 1]).toContain(`-f name=${service} | head -1)" node /srv/healthy.mjs readyz`);
  }
});

test("what is said of a pod that goes while it works is what its queue grants", () => {
  const text = readFileSync(join(root, "infra/README.md"), "utf8").replace(/\s+/g, " ");
  const secondsAfter = (words: string) => Number(new RegExp(`${words} (\\d+) s `).exec(text)?.[1]);
  const said = {
    handBackAfterMs: secondsAfter("gives what runs") * 1_000,
    gracePeriodMs: secondsAfter("an alert, a ticket\\) has") * 1_000,
  };
  for (const { queue } of apps) if (queue !== undefined) expect(queue).toMatchObject(said);
});
