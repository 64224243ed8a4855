import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type OwnProcess, startOwnProcess } from "@ballast/local";
import type { Builder } from "./builders.ts";
import { run } from "./command.ts";

export interface ContainerOptions {
  readonly image: string;
  /** Tells it apart in messages. */
  readonly name: string;
  /** Picks the app of an image that has several. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A folder of this machine, where the image has `/var/lib/ballast/documents`. */
  readonly documents: string;
  readonly dataDir: string;
}

export interface Container extends AsyncDisposable {
  readonly process: OwnProcess;
  /** SIGTERM to its first process; resolves once it is gone. */
  stop(): Promise<void>;
}

/** Longer than any app's grace. */
const STOP_WITHIN_MS = 40_000;

/** Start a container as production does: read-only but for /tmp and documents, without privileges, on the host's network. */
export async function startContainer(
  builder: Builder,
  options: ContainerOptions,
): Promise<Container> {
  return builder.name === "buildah"
    ? await startInChroot(options)
    : await startIn(builder, options);
}

const envArgs = (env: Readonly<Record<string, string>>) =>
  Object.entries(env).map(([name, value]) => `${name}=${value}`);

async function startIn(builder: Builder, options: ContainerOptions): Promise<Container> {
  const { image, name, command, env, documents, dataDir } = options;
  const guarded = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"];
  const process = await startOwnProcess({
    what: name,
    dataDir,
    command: builder.name,
    args: [
      ...["run", "--rm", "--network=host", "--tmpfs=/tmp", ...guarded],
      `--volume=${documents}:/var/lib/ballast/documents`,
      ...envArgs(env).flatMap((one) => ["--env", one]),
      ...[image, ...command],
    ],
  });
  const stop = () => process.end([["SIGTERM", STOP_WITHIN_MS]]);
  return { process, stop, [Symbol.asyncDispose]: stop };
}

interface ImageConfig {
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[] | null;
  readonly User: string;
}

/** A container by hand, for a machine that can build and not run them: its own mounts, its own PID 1, the image's user. */
async function startInChroot(options: ContainerOptions): Promise<Container> {
  const { image, name, command, env, documents, dataDir } = options;
  const { OCIv1 } = JSON.parse(await run("buildah", ["inspect", "--type", "image", image])) as {
    OCIv1: { config: ImageConfig };
  };
  const { Env, Entrypoint, Cmd, User } = OCIv1.config;
  const container = (await run("buildah", ["from", "--pull-never", image])).trim();
  const folder = (await run("buildah", ["mount", container])).trim();
  mkdirSync(documents, { recursive: true });
  const words = [...Entrypoint, ...(command.length > 0 ? command : (Cmd ?? []))];
  const process = await startOwnProcess({
    what: name,
    dataDir,
    command: "unshare",
    args: [
      ...["--mount", "--pid", "--fork", "--kill-child=SIGTERM", "sh", "-euc", SET_UP, "sh"],
      ...[folder, documents, User, "env", "-i", ...Env, ...envArgs(env), ...words],
    ],
  });
  const stop = async () => {
    // unshare itself dies of the signal; what is inside is to end as it would in a container.
    const inside = (
      await readFile(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").catch(() => "")
    ).trim();
    if (inside !== "") globalThis.process.kill(Number(inside), "SIGTERM");
    await process.end([["SIGCONT", STOP_WITHIN_MS]]);
  };
  return {
    process,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await run("buildah", ["rm", container]).catch(() => {});
    },
  };
}

const SET_UP = `root=$1 documents=$2 user=$3; shift 3
mount --bind "$root" "$root"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$documents" "$root/var/lib/ballast/documents"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" "$root" "$@"`;
