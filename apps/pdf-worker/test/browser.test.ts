import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { launchBrowser } from "../src/browser.ts";
import { BrowserCrashedError } from "../src/print-errors.ts";
import { isGroupAlive, openTestPrinter, slowHtml, testChromium } from "./open-test-printer.ts";

/** A folder with one executable file. */
async function folderWith(name: string, script: string) {
  const folder = await mkdtemp(join(tmpdir(), "ballast-browser-"));
  const file = join(folder, name);
  await writeFile(file, script, { mode: 0o755 });
  return {
    file,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

describe("a browser", () => {
  test("that dies fails its prints as a crash, and the next print gets a new one", async () => {
    await using t = await openTestPrinter({ pageSlots: 2 });

    const prints = [t.print(slowHtml()), t.print(slowHtml())];
    process.kill(t.pids[0] ?? 0, "SIGKILL");
    const outcomes = await Promise.allSettled(prints);
    const again = await Promise.all(prints.map(() => t.print(slowHtml())));

    expect(outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason)).toEqual([
      expect.any(BrowserCrashedError),
      expect.any(BrowserCrashedError),
    ]);
    expect(again).toHaveLength(2);
    expect(t.replaced).toEqual(["crash"]);
    expect(t.pids).toHaveLength(2);
    await expect.poll(() => isGroupAlive(t.pids[0] ?? 0)).toBe(false);
  });

  test("that died at rest is replaced without a print", async () => {
    await using t = await openTestPrinter();
    expect(t.printer.connected).toBe(true);

    process.kill(t.pids[0] ?? 0, "SIGKILL");

    await expect.poll(() => t.pids.length).toBe(2);
    await expect.poll(() => t.printer.connected).toBe(true);
  });

  test("is replaced after its number of pages, and finishes what it prints first", async () => {
    await using t = await openTestPrinter({ pageSlots: 2, recycleAfterPages: 1 });

    const slow = t.print(slowHtml());
    await t.print("<p>quick</p>");
    await expect.poll(() => t.replaced).toEqual(["pages"]);
    const onTheNext = await t.print("<p>next</p>");

    expect(onTheNext.pageCount).toBe(1);
    expect(t.pids.length).toBeGreaterThanOrEqual(2);
    await expect(slow).resolves.toBeDefined();
    await expect.poll(() => isGroupAlive(t.pids[0] ?? 0)).toBe(false);
    expect(t.replaced).not.toContain("crash");
  });

  test("that was retired is replaced without a print, so that the process stays ready", async () => {
    await using t = await openTestPrinter({ recycleAfterPages: 1 });

    await t.print("<p>last</p>");

    await expect.poll(() => t.pids.length).toBe(2);
    await expect.poll(() => t.printer.connected).toBe(true);
    await expect.poll(() => isGroupAlive(t.pids[0] ?? 0)).toBe(false);
  });

  test("is replaced when its memory has grown too large", async () => {
    await using t = await openTestPrinter({ maxMemoryMb: 1 });

    await expect.poll(async () => (await t.print("<p>x</p>")) && t.replaced[0]).toBe("memory");
  });

  test("that cannot be started is a dependency that is down", async () => {
    await expect(openTestPrinter({ executablePath: "/nowhere/chromium" })).rejects.toMatchObject({
      code: "browser_unavailable",
      message: expect.stringContaining("/nowhere/chromium"),
    });
  });

  test("that may not be executed is a dependency that is down, not the end of the process", async () => {
    await using dir = await folderWith("chromium", "#!/bin/sh\n");
    await chmod(dir.file, 0o644);

    await expect(openTestPrinter({ executablePath: dir.file })).rejects.toMatchObject({
      code: "browser_unavailable",
      message: expect.stringContaining("EACCES"),
    });
  });

  test("leaves alone the profiles of a machine whose name only begins like ours", async () => {
    const dead = spawn("true");
    await once(dead, "exit");
    const profile = join(tmpdir(), `ballast-chromium-${hostname()}-${dead.pid}-123-x8Fw2a`);
    await mkdir(profile);
    await using _removed = {
      [Symbol.asyncDispose]: () => rm(profile, { recursive: true, force: true }),
    };

    await using _t = await openTestPrinter();

    expect(existsSync(profile)).toBe(true);
  });

  test("that ends at once is reported with its own last words", async () => {
    await using dir = await folderWith(
      "chromium",
      "#!/bin/sh\necho 'error while loading shared libraries: libnss3.so' >&2\nexit 127\n",
    );

    await expect(openTestPrinter({ executablePath: dir.file })).rejects.toMatchObject({
      code: "browser_unavailable",
      message: expect.stringMatching(/127.*libnss3\.so/),
    });
  });

  test("leaves no process behind, also when it is closed in the middle of a print", async () => {
    const t = await openTestPrinter();
    const print = t.print(slowHtml()).catch((error: unknown) => error);

    await t[Symbol.asyncDispose]();
    await t[Symbol.asyncDispose]();

    expect(await print).toBeInstanceOf(Error);
    await expect.poll(() => isGroupAlive(t.pids[0] ?? 0)).toBe(false);
    expect(t.printer.connected).toBe(false);
    await expect(t.print("<p>late</p>")).rejects.toMatchObject({ code: "printer_closed" });
  });

  test("whose pipe breaks after it was closed ends nobody but itself", async () => {
    const own = await launchBrowser({ ...testChromium(), protocolTimeoutMs: 10_000 });
    const pipe = own.browser.process()?.stdio[4];

    await own.close();

    expect(() => pipe?.emit("error", new Error("read ECONNRESET"))).not.toThrow();
  });

  test("ends with its process, also when that is killed and closes nothing", async () => {
    const owner = spawn(
      process.execPath,
      [fileURLToPath(new URL("./fixtures/printing-process.ts", import.meta.url))],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [pid] = await once(owner.stdout.setEncoding("utf8"), "data");
    expect(isGroupAlive(Number(pid))).toBe(true);

    owner.kill("SIGKILL");

    await expect.poll(() => isGroupAlive(Number(pid))).toBe(false);
    await using _next = await openTestPrinter(); // removes what that process could not
    const profiles = readdirSync(tmpdir()).filter((name) => name.includes(`-${owner.pid}-`));
    expect(profiles).toEqual([]);
  });
});
