import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "@ballast/local";
import { DCLinter } from "dclint";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { apps, environmentProblems } from "./apps.ts";

interface Service {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly string[];
  readonly stop_grace_period?: string;
  readonly mem_limit?: string;
  readonly healthcheck?: { readonly disable?: boolean };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: ReadonlyArray<string | { readonly target: number }>;
  readonly deploy?: {
    readonly resources: { readonly limits: { readonly memory: string } };
    readonly update_config: { readonly order: string; readonly failure_action: string };
  };
}
interface Stack {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<
    Record<string, { readonly external?: boolean; readonly file?: string }>
  >;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const read = (file: string): Stack =>
  parse(readFileSync(join(root, "infra", file), "utf8"), { merge: true });
const compose = read("compose/compose.yaml");
const observability = read("compose/observability.yaml");
const swarm = read("swarm/stack.yaml");

const ours = (stack: Stack) =>
  apps.map((app) => ({ app, service: stack.services[app.name] as Service }));
const seconds = (text = "0s") => Number(/^(\d+)s$/.exec(text)?.[1]);

test.each(["compose/compose.yaml", "compose/observability.yaml", "swarm/stack.yaml"])(
  "%s is what Docker reads: no unknown key, no wrong type",
  (file) => {
    const linter = new DCLinter({ rules: {}, quiet: true, debug: false, exclude: [] });
    const results: ReadonlyArray<{ readonly messages: ReadonlyArray<{ readonly rule: string }> }> =
      linter.lintFiles([join(root, "infra", file)], false);
    expect(
      results.flatMap(({ messages }) => messages.filter(({ rule }) => rule === "invalid-schema")),
    ).toEqual([]);
  },
);

describe.each([
  ["compose", compose],
  ["swarm", swarm],
])("%s", (_, stack) => {
  test("runs every app, each at a version of its own, without rights it does not need", () => {
    for (const { app, service } of ours(stack)) {
      const variable = `${app.name.toUpperCase().replaceAll("-", "_")}_VERSION`;
      expect(service.image).toMatch(new RegExp(`/${app.name}:\\$\\{${variable}:`));
      expect(service).toMatchObject({ read_only: true, cap_drop: ["ALL"] });
      expect(service.mem_limit ?? service.deploy?.resources.limits.memory).toMatch(/^\d/);
    }
  });

  test("gives each app the variables it reads, and those it needs", () => {
    for (const { app, service } of ours(stack))
      expect(environmentProblems(app, service.environment ?? {})).toEqual([]);
  });

  test("publishes the port that the API's image listens on, and no other app's", () => {
    for (const { app, service } of ours(stack)) {
      const targets = (service.ports ?? []).map((port) =>
        Number(typeof port === "string" ? port.split(":").at(-1) : port.target),
      );
      expect(targets, app.name).toEqual(app.ports.http === undefined ? [] : [app.ports.http]);
    }
  });

  test("hands every app what it traces by, empty where nobody wants traces", () => {
    for (const { app, service } of ours(stack)) {
      const tracing = Object.keys(app.shape).filter((name) => name.startsWith("OTEL_"));
      expect(tracing).toContain("OTEL_EXPORTER_OTLP_ENDPOINT");
      for (const name of tracing) expect(service.environment?.[name]).toBe(`\${${name}:-}`);
    }
  });

  test("stops nobody before its grace is over", () => {
    for (const { app, service } of ours(stack))
      expect(seconds(service.stop_grace_period) * 1_000, app.name).toBeGreaterThan(app.graceMs);
  });

  test("hands out secrets as files that there are, and that are read", () => {
    for (const [name, { secrets = [], environment = {} }] of Object.entries(stack.services)) {
      const readFrom = Object.entries(environment)
        .filter(([variable]) => variable.endsWith("_FILE"))
        .map(([, file]) => file.replace("/run/secrets/", ""));
      // Redis reads its own from where its settings say.
      expect([...secrets].sort(), name).toEqual(
        name === "redis" ? ["redis_users"] : readFrom.sort(),
      );
      for (const secret of secrets) expect(Object.keys(stack.secrets)).toContain(secret);
    }
  });
});

test("every image of others is pinned by its digest, watched and bounded", () => {
  const mine = new Set([...apps.map(({ name }) => name), "migrate"]);
  for (const [name, service] of Object.entries({
    ...compose.services,
    ...observability.services,
  })) {
    if (mine.has(name)) continue;
    expect(service.image).toMatch(/@sha256:[0-9a-f]{64}$/);
    expect(service.healthcheck, name).toBeDefined();
    expect(service.mem_limit, name).toMatch(/^\d+[mg]$/);
  }
});

test("migrations know both stores, and are not asked for their health", () => {
  const { environment = {}, healthcheck } = compose.services["migrate"] as Service;
  expect(Object.keys(environment)).toEqual(["DATABASE_URL_FILE", "QUEUE_URL_FILE"]);
  expect(healthcheck).toEqual({ disable: true });
});

test("what prints documents, and the stores, have no way out", () => {
  expect(compose.networks["inside"]).toEqual({ internal: true });
  for (const name of ["pdf-worker", "postgres", "redis"])
    expect(compose.services[name]?.networks, name).toEqual(["inside"]);
});

test("a Swarm starts the new before it stops the old, and goes back by itself", () => {
  for (const { service } of ours(swarm))
    expect(service.deploy?.update_config).toMatchObject({
      order: "start-first",
      failure_action: "rollback",
    });
  expect(Object.values(swarm.secrets).every(({ external }) => external)).toBe(true);
});

test("the script makes every secret that Compose mounts, and keeps what there is", () => {
  const folder = mkdtempSync(join(tmpdir(), "ballast-secrets-"));
  const make = () => {
    execFileSync(process.execPath, [join(root, "infra/compose/secrets.mjs"), folder]);
    return new Map(
      readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]),
    );
  };
  try {
    const made = make();
    const mounted = Object.keys({ ...compose.secrets, ...observability.secrets });
    expect([...made.keys()].sort()).toEqual(mounted.sort());
    expect(make()).toEqual(made);
    expect(made.get("redis_users")).toMatch(/user ballast on #[0-9a-f]{64} /);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
