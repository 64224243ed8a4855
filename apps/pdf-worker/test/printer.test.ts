import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { PermanentError } from "@ballast/jobs";
import { describe, expect, test } from "vitest";
import { launchBrowser } from "../src/browser.ts";
import { BrowserCrashedError, PrintTimeoutError } from "../src/print-errors.ts";
import {
  endlessHtml,
  isGroupAlive,
  openTestPrinter,
  slowHtml,
  testChromium,
  unhurriedHtml,
} from "./open-test-printer.ts";
import { readPdf } from "./read-pdf.ts";

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

describe("a print", () => {
  test("gives a tagged PDF with title, language and its page count", async () => {
    await using t = await openTestPrinter();

    const printed = await t.printer.print("<h1>One</h1><h1 style='break-before:page'>Two</h1>", {
      paper: "Letter",
      title: "Two (pages)",
      language: "fr-FR",
      date: new Date(0),
    });

    expect(printed.pageCount).toBe(2);
    expect(await readPdf(printed.pdf)).toMatchObject({
      pages: [expect.stringContaining("One"), expect.stringContaining("Two")],
      title: "Two (pages)",
      language: "fr-FR",
      tagged: true,
    });
  });

  test("of the same document with the same date gives the same bytes", async () => {
    await using t = await openTestPrinter();
    const settings = { paper: "A4", title: "Same", language: "en", date: new Date(0) } as const;

    const first = await t.printer.print("<p>same</p>", settings);
    const second = await t.printer.print("<p>same</p>", settings);
    const later = await t.printer.print("<p>same</p>", { ...settings, date: new Date(86_400_000) });

    expect(Buffer.compare(first.pdf, second.pdf)).toBe(0);
    expect(Buffer.compare(first.pdf, later.pdf)).not.toBe(0);
    expect(Buffer.from(later.pdf).toString("latin1")).toContain("CreationDate (D:19700102000000");
  });

  test("of the same table gives the same bytes, whatever its browser printed before", async () => {
    await using t = await openTestPrinter({ pageSlots: 1 });
    const table =
      "<table><tr><th>Goods</th><th>Net</th></tr><tr><td>Oak</td><td>1.00</td></tr></table>";

    const first = await t.print(table);
    await t.print(`<p>between</p>${table}`);
    const second = await t.print(table);

    expect(Buffer.compare(first.pdf, second.pdf)).toBe(0);
  });

  test("keeps a table's ids in order and its cells with their heads", async () => {
    await using t = await openTestPrinter({ pageSlots: 1 });
    const table = "<tr><th>Goods</th><th>Net</th></tr><tr><td>Oak</td><td>1.00</td></tr>";

    const { pdf } = await t.print(`<h1>node00000007</h1><table>${table}</table>`);

    const written = Buffer.from(pdf).toString("latin1");
    const [, names = ""] = /\/Names \[(.*?)\]/s.exec(written) ?? [];
    const ids = names.match(/node\d{8}/g) ?? [];
    expect(ids).toEqual(ids.map((_, index) => `node${String(index + 1).padStart(8, "0")}`));
    const heads = [...written.matchAll(/\/Headers \[\((\w+)\)\]/g)].map(([, id]) => id);
    expect(heads).toEqual(ids.slice(-2));
    expect(written).toContain("/Title (node00000007)");
  });

  test("shows nothing of the document that was printed before on the same page", async () => {
    await using t = await openTestPrinter({ pageSlots: 1 });

    await t.print("<style>p{display:none}</style><b>first</b>");
    const second = await readPdf((await t.print("<p>second</p>")).pdf);

    expect(second.text.trim()).toBe("second");
  });

  test("leaves nothing behind on its page, not even a journey the document had planned", async () => {
    await using t = await openTestPrinter({ pageSlots: 1 });
    const away = '<meta http-equiv="refresh" content="1;url=http://localhost:9/">';
    const ended = performance.now() + 1_500;

    await t.print(`${away}<p>first</p>`);
    while (performance.now() < ended) {
      const { text } = await readPdf((await t.print(slowHtml())).pdf);
      expect(text).toContain("slow");
    }

    expect(t.refused).toEqual([]);
  });

  test("runs no script", async () => {
    await using t = await openTestPrinter();

    const { text } = await readPdf(
      (await t.print("<p>kept</p><script>document.body.innerHTML = 'replaced'</script>")).pdf,
    );

    expect(text.trim()).toBe("kept");
  });

  test("is refused for good when its HTML or its PDF is too large", async () => {
    await using t = await openTestPrinter({ maxHtmlBytes: 100_000, maxPdfBytes: 20_000 });

    const html = t.print("x".repeat(100_001));
    await expect(html).rejects.toBeInstanceOf(PermanentError);
    await expect(html).rejects.toMatchObject({ code: "html_too_large" });
    const pdf = t.print(slowHtml());
    await expect(pdf).rejects.toBeInstanceOf(PermanentError);
    await expect(pdf).rejects.toMatchObject({ code: "pdf_too_large" });
    await expect(t.print("<p>small</p>")).resolves.toMatchObject({ pageCount: 1 });
  });
});

describe("time", () => {
  // A busy machine may not close a page within its 800 ms; then the browser goes, as it should.
  test("kills the page of a document that does not end, and only that page", {
    retry: 3,
  }, async () => {
    await using t = await openTestPrinter({ pageSlots: 1, timeoutMs: 5_000 }); // the next print's, too

    const print = t.print(endlessHtml());
    await expect(print).rejects.toBeInstanceOf(PrintTimeoutError);
    await expect(t.print("<p>next</p>")).resolves.toMatchObject({ pageCount: 1 });

    expect(t.replaced).toEqual([]);
  });

  test("kills a browser that answers nothing any more", async () => {
    await using t = await openTestPrinter({ pageSlots: 1, timeoutMs: 5_000 }); // the next print's, too

    process.kill(t.pids[0] ?? 0, "SIGSTOP");
    await expect(t.print("<p>stuck</p>")).rejects.toBeInstanceOf(PrintTimeoutError);
    await expect(t.print("<p>next</p>")).resolves.toMatchObject({ pageCount: 1 });

    expect(t.replaced).toEqual(["crash"]);
    await expect.poll(() => isGroupAlive(t.pids[0] ?? 0)).toBe(false);
  });

  test("an abort rejects at once and frees the slot within about a second", async () => {
    const openedAt = performance.now();
    await using t = await openTestPrinter({ pageSlots: 1 });
    await t.print("<p>first</p>");
    await expect.poll(() => t.printing).toBe(0);
    const unhinderedMs = performance.now() - openedAt; // a new browser and a page, on this machine
    const abort = new AbortController();
    const reason = new Error("shutting down");

    const print = t.print(endlessHtml(), abort.signal).catch((thrown: unknown) => thrown);
    await expect.poll(() => t.printing).toBe(1);
    await pause(500); // in the middle of it, however fast the machine
    abort.abort(reason);
    const abortedAt = performance.now();
    expect(await Promise.race([print, pause(0, "later")])).toBe(reason);
    await t.print("<p>next</p>");

    expect(performance.now() - abortedAt).toBeLessThan(1_000 + 4 * unhinderedMs);
  });

  test("an abort while it waits for a slot gives up the place in the queue", async () => {
    await using t = await openTestPrinter({ pageSlots: 1 });
    const abort = new AbortController();

    const first = t.print(slowHtml());
    const waiting = t.print("<p>never</p>", abort.signal);
    abort.abort(new Error("gone"));

    await expect(waiting).rejects.toThrow("gone");
    await expect(first).resolves.toBeDefined();
    await expect(t.print("<p>next</p>")).resolves.toBeDefined();
  });
});

describe("memory", () => {
  test("that a print eats ends that document for good, and no print beside it", async () => {
    await using t = await openTestPrinter({ pageSlots: 2, maxPrintMemoryMb: 300 });

    let isOver = false;
    const innocent = t.print(unhurriedHtml()).finally(() => {
      isOver = true;
    });
    const eater = t.print(endlessHtml());
    await expect(eater).rejects.toBeInstanceOf(PermanentError);
    await expect(eater).rejects.toMatchObject({
      code: "print_memory_exceeded",
      message: expect.stringContaining("300 MiB"),
    });

    expect({ isOver, replaced: t.replaced }).toEqual({ isOver: false, replaced: ["print-memory"] });
    await expect(innocent).resolves.toBeDefined();
    await expect(t.print("<p>next</p>")).resolves.toMatchObject({ pageCount: 1 });
    await expect.poll(() => isGroupAlive(t.pids[0] ?? 0)).toBe(false);
    expect(t.replaced).toEqual(["print-memory"]);
  });
});

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
