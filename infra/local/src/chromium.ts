import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { cacheDir } from "./checkout.ts";
import { identityOf } from "./process-identity.ts";

/** A headless browser and what it needs on a bare machine. */
export interface Chromium {
  readonly executablePath: string;
  /** For LD_LIBRARY_PATH: NSS, NSPR and expat, which a bare Debian lacks. */
  readonly libraryPath?: string;
  /** For FONTCONFIG_FILE. */
  readonly fontconfigFile?: string;
}

/** The browser that `CHROMIUM_PATH` names, else the one that npm installed, unpacked. */
export function ensureChromium(env: NodeJS.ProcessEnv, into = cacheDir): Chromium {
  const own = env["CHROMIUM_PATH"];
  if (own) {
    const [libraryPath, fontconfigFile] = [
      env["CHROMIUM_LIBRARY_PATH"],
      env["CHROMIUM_FONTCONFIG_FILE"],
    ];
    return {
      executablePath: own,
      ...(libraryPath && { libraryPath }),
      ...(fontconfigFile && { fontconfigFile }),
    };
  }
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      `no browser in npm for ${process.platform}-${process.arch}: set CHROMIUM_PATH to a Chromium of yours`,
    );
  }
  const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const pkg = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
  const home = join(into, `chromium-${version}-${process.arch}`);
  if (!existsSync(home)) unpack(entry, join(pkg, "bin"), home);
  return {
    executablePath: join(home, "chromium"),
    libraryPath: join(home, "al2023", "lib"),
    fontconfigFile: writeFontsConf(home),
  };
}

/**
 * Unpack into a folder of this process and move it into place in one step. The package's own
 * unpacker would reuse whatever `chromium` lies in the temp folder, of any version and owner, and
 * two at once can run a half-written file (Sparticuz/chromium#242); hence the child with its own TMPDIR.
 */
function unpack(entry: string, archives: string, home: string): void {
  sweepDeadParts(home);
  const part = `${home}.${process.pid}`;
  mkdirSync(part, { recursive: true });
  const code = `
    const { default: chromium, inflate } = await import(${JSON.stringify(pathToFileURL(entry).href)});
    await chromium.executablePath(${JSON.stringify(archives)});
    await inflate(${JSON.stringify(join(archives, "al2023.tar.br"))});`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", code], {
    env: { ...process.env, TMPDIR: part, NODE_OPTIONS: "" },
    encoding: "utf8",
  });
  try {
    if (child.status !== 0) throw new Error(`could not unpack Chromium: ${child.stderr}`);
    renameSync(part, home);
  } catch (error) {
    if (!existsSync(home)) throw error; // else another process was first
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}

/** 200 MB each, left by processes that were killed while they unpacked. */
function sweepDeadParts(home: string): void {
  mkdirSync(dirname(home), { recursive: true });
  for (const name of readdirSync(dirname(home))) {
    const pid = /^chromium-.*\.(\d+)$/.exec(name)?.[1];
    if (pid && !identityOf(Number(pid))) {
      rmSync(join(dirname(home), name), { recursive: true, force: true });
    }
  }
}

/** The shipped fonts.conf names a fixed temp folder; ours names the real ones, also after a move. */
function writeFontsConf(home: string): string {
  const file = join(home, "fonts.conf");
  const text = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>${join(home, "fonts")}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(home, "font-cache")}</cachedir>
</fontconfig>
`;
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    writeFileSync(`${file}.${process.pid}`, text);
    renameSync(`${file}.${process.pid}`, file);
  }
  return file;
}
