import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "@ballast/local";
import type { Builder } from "./builders.ts";
import { run, works } from "./command.ts";

const DEBIAN = "http://deb.debian.org/debian";
const SOURCES = `deb ${DEBIAN} bookworm main
deb ${DEBIAN} bookworm-updates main
deb ${DEBIAN}-security bookworm-security main
`;

const SLIM = `path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
`;

/**
 * The base image, pulled. Where no registry can be reached, one of the same make instead: Debian by debootstrap,
 * Node.js and npm as they are installed here. It is good for trying and measuring, not for shipping.
 *
 * @returns its name
 * @throws {Error} that says what to do where neither is possible
 */
export async function openBase(builder: Builder, pinned: string): Promise<string> {
  if ((await builder.has(pinned)) || (await builder.pull(pinned))) return pinned;
  const own = `localhost/ballast/node-base:${process.versions.node}`;
  if (await builder.has(own)) return own;
  if (process.getuid?.() !== 0 || !(await works("debootstrap", ["--version"])))
    throw new Error(
      `${pinned} cannot be pulled, and a base can be made here only by root with debootstrap: ` +
        "connect to the registry, name an image that is here with --base, or apt-get install debootstrap",
    );
  console.error(`${pinned} cannot be pulled: making a base of the same kind, ${own}`);
  await makeBase(builder, own);
  return own;
}

async function makeBase(builder: Builder, tag: string): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), "ballast-base-"));
  try {
    const system = join(context, "system");
    await run("debootstrap", [
      "--variant=minbase",
      "--include=ca-certificates",
      "bookworm",
      system,
      DEBIAN,
    ]);
    await writeFile(join(system, "etc/apt/sources.list"), SOURCES);
    // As the slim images of Debian have it.
    await writeFile(join(system, "etc/dpkg/dpkg.cfg.d/slim"), SLIM);
    rmSync(join(system, "var/cache/apt"), { recursive: true });
    rmSync(join(system, "var/lib/apt/lists"), { recursive: true });
    await mkdir(join(system, "usr/local/lib/node_modules"), { recursive: true });
    await cp(process.execPath, join(system, "usr/local/bin/node"));
    await addNpm(system);
    await run("tar", ["-C", system, "-cf", join(context, "system.tar"), "."]);
    rmSync(system, { recursive: true });
    await writeFile(join(context, "Dockerfile"), 'FROM scratch\nADD system.tar /\nCMD ["node"]\n');
    await builder.build({ root: context, file: "Dockerfile", tags: [tag], args: {}, labels: {} });
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** The npm that belongs to the `npm` on PATH. */
async function addNpm(system: string): Promise<void> {
  const cli = realpathSync((await run("which", ["npm"], { cwd: root })).trim());
  const modules = join(system, "usr/local/lib/node_modules/npm");
  await cp(dirname(dirname(cli)), modules, { recursive: true });
  for (const name of ["npm", "npx"])
    await run("ln", [
      "-s",
      `../lib/node_modules/npm/bin/${name}-cli.js`,
      join(system, "usr/local/bin", name),
    ]);
}
