import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "@ballast/local";
import { declaredMetrics } from "@ballast/service";
import { expect, test } from "vitest";
import { apps, environmentProblems } from "./apps.ts";
import { type Manifest, render } from "./kustomize.ts";
import { typeProblems } from "./schema.ts";

const folder = join(root, "infra/kubernetes");
const prod = render(join(folder, "overlays/prod"));
const dev = render(join(folder, "overlays/dev"));
const hpa = render(join(folder, "components/hpa"));
const traced = render(join(folder, "components/tracing"), prod);
const overlays = [
  ["dev", dev],
  ["prod", prod],
] as const;

interface Container {
  readonly image: string;
  readonly args?: readonly string[];
  readonly env: ReadonlyArray<{ readonly name: string; readonly value: string }>;
  readonly ports?: ReadonlyArray<{ readonly name: string; readonly containerPort: number }>;
  readonly resources: Readonly<Record<"requests" | "limits", Readonly<Record<string, string>>>>;
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string } };
}
interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly [Container];
  readonly volumes: ReadonlyArray<{
    readonly secret?: { readonly items: ReadonlyArray<{ readonly key: string }> };
  }>;
}

function named(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((one) => one.kind === kind && one.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}
const podOf = (manifests: readonly Manifest[], name: string, kind = "Deployment") =>
  (named(manifests, kind, name).spec["template"] as { spec: Pod }).spec;
const envOf = ({ containers: [{ env }] }: Pod) =>
  Object.fromEntries(env.map(({ name, value }) => [name, value]));
const secretsOfDev = Object.fromEntries(
  [
    ...readFileSync(join(folder, "overlays/dev/secrets.env"), "utf8").matchAll(/^(\w+)=(.*)$/gm),
  ].map(([, key = "", value = ""]) => [key, value]),
);
/** What Kubernetes waits at most before it takes a pod away. */
const LONGEST_STABILIZATION_SECONDS = 3_600;

test("every manifest is of its published type: no unknown field, no wrong one", async () => {
  expect(await typeProblems([...dev, ...prod, ...hpa, ...traced])).toBe("");
});

test.each(overlays)("%s runs every app, without a right it does not need", (_, manifests) => {
  for (const { name } of apps) {
    const pod = podOf(manifests, name);
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 10_001,
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [
        {
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          },
        },
      ],
    });
    const [container] = pod.containers;
    expect(container.image).toMatch(new RegExp(`ballast/${name}:`));
    for (const bound of ["requests", "limits"] as const)
      expect(Object.keys(container.resources[bound])).toEqual(["cpu", "memory"]);
    for (const [probe, path] of [
      ["startupProbe", "/healthz"],
      ["livenessProbe", "/healthz"],
      ["readinessProbe", "/readyz"],
    ] as const)
      expect(container[probe]?.httpGet).toEqual({ path, port: "ops" });
    expect(named(manifests, "PodDisruptionBudget", name).spec["maxUnavailable"]).toBe(1);
  }
});

test("replicas of an app are spread over nodes, wherever other apps are", () => {
  for (const { name } of apps)
    expect(podOf(prod, name)).toMatchObject({
      topologySpreadConstraints: [
        { topologyKey: "kubernetes.io/hostname", matchLabelKeys: ["app.kubernetes.io/name"] },
      ],
    });
});

test.each(overlays)(
  "%s gives each app the variables it reads, and those it needs",
  (_, manifests) => {
    for (const app of apps)
      expect(environmentProblems(app, envOf(podOf(manifests, app.name)))).toEqual([]);
  },
);

test("ports are those that the images listen on", () => {
  for (const { name, ports } of apps) {
    const { ports: opened = [] } = podOf(prod, name).containers[0];
    expect(Object.fromEntries(opened.map((port) => [port.name, port.containerPort])), name).toEqual(
      ports,
    );
  }
});

test("each pod mounts the secrets its variables name, and the example has them all", () => {
  const example = Object.keys(secretsOfDev);
  const pods = [...apps.map(({ name }) => podOf(prod, name)), podOf(prod, "migrate", "Job")];
  for (const pod of pods) {
    const mounted = pod.volumes.flatMap(({ secret }) => secret?.items.map(({ key }) => key) ?? []);
    const wanted = Object.entries(envOf(pod))
      .filter(([name]) => name.endsWith("_FILE"))
      .map(([, path]) => path.replace("/run/secrets/ballast/", ""));
    expect(mounted.sort()).toEqual(wanted.sort());
    expect(example).toEqual(expect.arrayContaining(mounted));
  }
});

test("a pod is killed no sooner than its longest attempt is over, and than it needs to stop", () => {
  for (const { name, longestAttemptMs, graceMs } of apps)
    expect(podOf(prod, name).terminationGracePeriodSeconds * 1_000, name).toBeGreaterThan(
      Math.max(longestAttemptMs, graceMs),
    );
});

test.each(apps.filter(({ queue }) => queue !== undefined && queue.name !== "dead-letter"))(
  "$name grows with its queue up to a bound, and shrinks after a lull longer than its longest attempt",
  ({ name, queue, longestAttemptMs, shape }) => {
    const { maxReplicaCount, fallback, advanced, triggers } = named(prod, "ScaledObject", name)
      .spec as {
      maxReplicaCount: number;
      fallback: object;
      advanced: { horizontalPodAutoscalerConfig: { behavior: Behavior } };
      triggers: readonly [Trigger];
    };
    const plain = named(hpa, "HorizontalPodAutoscaler", name).spec as {
      maxReplicas: number;
      behavior: Behavior;
    };
    expect(maxReplicaCount).toBe(plain.maxReplicas);
    expect(fallback).toBeDefined();
    const least = Math.min(longestAttemptMs / 1_000, LONGEST_STABILIZATION_SECONDS);
    for (const { scaleDown } of [advanced.horizontalPodAutoscalerConfig.behavior, plain.behavior])
      expect(scaleDown.stabilizationWindowSeconds).toBeGreaterThanOrEqual(least);

    const [{ metadata }] = triggers;
    const [, metric, selectors = ""] = /(\w+)\{(.*)\}/.exec(metadata.query) ?? [];
    const declared = declaredMetrics.find((one) => one.name === metric);
    expect(declared).toMatchObject({ by: ["api"], alike: true });
    expect(selectors).toContain(`queue="${queue?.name}"`);
    // Of what replicas tell alike the largest is the answer, for each set of labels.
    expect(metadata.query).toContain(`sum(max by (${declared?.labels.join(", ")}) (${metric}{`);
    const variable = Object.keys(shape).find((one) => one.endsWith("_CONCURRENCY")) ?? "";
    const concurrency = envOf(podOf(prod, name))[variable] ?? shape[variable]?.parse(undefined);
    expect(metadata.threshold).toBe(String(concurrency));
    expect(named(prod, "Deployment", name).spec).not.toHaveProperty("replicas");
  },
);
interface Behavior {
  readonly scaleDown: { readonly stabilizationWindowSeconds: number };
}

test("prod says once, for all that KEDA scales, which Prometheus is asked", () => {
  const said = readFileSync(join(folder, "overlays/prod/kustomization.yaml"), "utf8");
  const address = /serverAddress\n\s+value: (\S+)/.exec(said)?.[1];
  expect(address).toMatch(/^http/);
  const asked = prod
    .filter(({ kind }) => kind === "ScaledObject")
    .flatMap(({ spec }) => spec["triggers"] as Trigger[])
    .map(({ metadata }) => metadata.serverAddress);
  expect(asked).toEqual([address, address, address]);
});
interface Trigger {
  readonly metadata: {
    readonly serverAddress: string;
    readonly query: string;
    readonly threshold: string;
  };
}

test("what prints documents reaches its stores and names, and nothing else", () => {
  const reaching = prod
    .filter(({ kind, spec }) => kind === "NetworkPolicy" && spec["egress"] !== undefined)
    .filter(({ spec }) => selects(spec["podSelector"] as Selector, "pdf-worker"))
    .map(({ metadata }) => metadata.name);
  expect(reaching.sort()).toEqual(["names", "stores"]);
  expect(named(prod, "NetworkPolicy", "nothing").spec).toEqual({
    podSelector: {},
    policyTypes: ["Ingress", "Egress"],
  });
});
interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: ReadonlyArray<{ readonly values: readonly string[] }>;
}
const selects = ({ matchLabels = {}, matchExpressions = [] }: Selector, name: string) =>
  Object.values(matchLabels).every((value) => value === name) &&
  matchExpressions.every(({ values }) => values.includes(name));

test.each([
  ["dev", dev, secretsOfDev],
  // Its secrets are somewhere else.
  ["prod", prod, {} as typeof secretsOfDev],
] as const)("%s lets each app out to what its variables name", (_, manifests, secrets) => {
  const policies = manifests.filter(({ kind }) => kind === "NetworkPolicy");
  for (const { name } of apps) {
    const ways = policies
      .filter(({ spec }) => selects(spec["podSelector"] as Selector, name))
      .flatMap(({ spec }) => (spec["egress"] ?? []) as Egress[]);
    for (const url of calledBy(envOf(podOf(manifests, name)), secrets))
      expect(
        ways.some((way) => leadsTo(way, url)),
        `${name} reaches ${url.host}`,
      ).toBe(true);
  }
});
interface Egress {
  readonly to: ReadonlyArray<{ readonly ipBlock?: { readonly cidr: string } }>;
  readonly ports: ReadonlyArray<{ readonly port: number }>;
}
const USUAL_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443, "smtp:": 587 };

/** The servers that variables name, those in secrets too; a document's bucket is at an endpoint. */
const calledBy = (env: Readonly<Record<string, string>>, secrets: typeof secretsOfDev) =>
  Object.entries(env)
    .filter(([variable]) => variable !== "API_PUBLIC_URL") // for people to follow
    .map(([, value]) => secrets[value.replace("/run/secrets/ballast/", "")] ?? value)
    .filter((value) => /^\w+:\/\//.test(value))
    .map((value) => new URL(value))
    .map((url) =>
      url.protocol === "s3:"
        ? new URL(url.searchParams.get("endpoint") ?? "https://s3.amazonaws.com")
        : url,
    )
    .filter(({ hostname }) => hostname !== "127.0.0.1");

/** Stores have `stores` in their names, and are in a namespace or network of their own; all else is on the internet. */
function leadsTo({ to, ports }: Egress, { protocol, hostname, port }: URL): boolean {
  const isStore = hostname.split(".").includes("stores");
  const isAnywhere = to.some(({ ipBlock }) => ipBlock?.cidr === "0.0.0.0/0");
  const wanted = port === "" ? USUAL_PORTS[protocol] : Number(port);
  return isStore !== isAnywhere && ports.some((open) => open.port === wanted);
}

test("with tracing each app is told of a collector, and reaches it", () => {
  const { podSelector, egress } = named(traced, "NetworkPolicy", "traces").spec as {
    podSelector: object;
    egress: [Egress];
  };
  expect(podSelector).toEqual({});
  expect(egress[0].to).toEqual([
    { namespaceSelector: { matchLabels: { "ballast.dev/collector": "true" } } },
  ]);
  for (const app of apps) {
    const env = envOf(podOf(traced, app.name));
    expect(environmentProblems(app, env)).toEqual([]);
    const { port } = new URL(env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "");
    expect(egress[0].ports.map((open) => String(open.port))).toEqual([port]);
  }
});

test("migrations are a job of the API's image, to be run before the rest", () => {
  const job = named(prod, "Job", "migrate");
  expect(job.metadata).toMatchObject({ labels: { "ballast.dev/phase": "migrate" } });
  const [{ image, args }] = podOf(prod, "migrate", "Job").containers;
  expect(args).toEqual(["migrate"]);
  // Where the queue engine is PostgreSQL, its tables are made by the same job.
  expect(Object.keys(envOf(podOf(prod, "migrate", "Job")))).toEqual([
    "DATABASE_URL_FILE",
    "QUEUE_URL_FILE",
  ]);
  expect(image).toBe(podOf(prod, "api").containers[0].image);
});
