import { run, works } from "./command.ts";

export interface Build {
  readonly root: string;
  readonly file: string;
  /** Absent: the last stage. */
  readonly target?: string;
  readonly tags: readonly string[];
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** What builds images here. */
export interface Builder {
  readonly name: "docker" | "podman" | "buildah";
  build(build: Build): Promise<void>;
  pull(image: string): Promise<boolean>;
  has(image: string): Promise<boolean>;
  /** Of all layers, unpacked. */
  sizeBytes(image: string): Promise<number>;
}

/**
 * The first of docker, podman and buildah that works here: a docker whose daemon does not answer is none.
 *
 * @throws {Error} that says what to install
 */
export async function findBuilder(): Promise<Builder> {
  if (await works("docker", ["info"])) return engine("docker");
  if (await works("podman", ["info"])) return engine("podman");
  if (await works("buildah", ["info"])) return buildah;
  throw new Error(
    "neither docker, podman nor buildah works here: start docker, or apt-get install buildah and run as root",
  );
}

/** Docker and podman take the same words. */
const engine = (name: "docker" | "podman"): Builder => ({
  name,
  async build(build) {
    const layers = name === "podman" ? ["--layers", "--format", "docker"] : [];
    await run(name, ["build", ...layers, ...common(build), build.root], {
      env: { ...process.env, DOCKER_BUILDKIT: "1" },
    });
  },
  pull: (image) => works(name, ["pull", image]),
  has: (image) => works(name, ["image", "inspect", image]),
  sizeBytes: async (image) =>
    Number(await run(name, ["image", "inspect", "--format", "{{.Size}}", image])),
});

/** Where there is no daemon, no registry and no user namespace: chroot isolation needs root and nothing else. */
const buildah: Builder = {
  name: "buildah",
  async build(build) {
    // Docker's format keeps the health check. The host's network, for chroot isolation makes none.
    const how = ["--isolation", "chroot", "--network", "host", "--layers", "--format", "docker"];
    await run("buildah", ["bud", ...how, ...common(build), build.root]);
  },
  pull: (image) => works("buildah", ["pull", image]),
  has: (image) => works("buildah", ["inspect", "--type", "image", image]),
  sizeBytes: async (image) => {
    const [found] = JSON.parse(await run("buildah", ["images", "--json", image])) as [
      { size: string },
    ];
    return bytesOf(found.size);
  },
};

const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 };

/** buildah tells sizes to people alone, in three digits: `272 MB`. */
function bytesOf(text: string): number {
  const [amount, unit = ""] = text.split(" ");
  return Number(amount) * (UNITS[unit.toUpperCase()] ?? Number.NaN);
}

function common({ file, root, target, tags, args, labels }: Build): string[] {
  const ca = process.env["NODE_EXTRA_CA_CERTS"];
  return [
    ["--file", `${root}/${file}`],
    target === undefined ? [] : ["--target", target],
    ...tags.map((tag) => ["--tag", tag]),
    ...Object.entries(args).map(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...Object.entries(labels).map(([name, value]) => ["--label", `${name}=${value}`]),
    ca ? ["--secret", `id=ca,src=${ca}`] : [],
  ].flat();
}
