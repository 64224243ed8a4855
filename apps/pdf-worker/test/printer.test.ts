import { setTimeout as pause } from "node:timers/promises";
import { PermanentError } from "@ballast/jobs";
import { describe, expect, test } from "vitest";
import { PrintTimeoutError } from "../src/print-errors.ts";
import {
  endlessHtml,
  isGroupAlive,
  openTestPrinter,
  slowHtml,
  unhurriedHtml,
} from "./open-test-printer.ts";
import { readPdf } from "./read-pdf.ts";

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
