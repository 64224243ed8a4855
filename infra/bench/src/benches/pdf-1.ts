import { ensureChromium } from "@ballast/local";
import type { Bench } from "../bench.ts";
import { interleave } from "../interleave.ts";
import { installRivals } from "../rivals.ts";

/** They fill one page; with two more it has a second. */
const LINES = 6;

/** What one short document takes. */
export const pdf1: Bench = {
  name: "pdf-1",
  about:
    "an invoice of one page against a browser launched for it, a new page in a shared browser, and pdfkit",
  async run(context) {
    await installRivals(context.signal);
    const chromium = ensureChromium(process.env);
    const ours = await context.subject("our-printer");
    const browser = await context.subject("browser-prints");
    const pdfkit = await context.subject("pdfkit-draws");
    await ours.ask("open", chromium);
    await browser.ask("open", chromium);
    const { pageCount } = await ours.ask("print", { lines: LINES, count: 1 });
    if (pageCount !== 1) throw new Error(`${LINES} lines take ${pageCount} pages, not one`);
    const of = (quick: number, full: number) => ({
      lines: LINES,
      count: context.sized(quick, full),
    });
    const seen = await interleave(
      {
        ours: () => ours.ask("print", of(10, 40)),
        plain: () => ours.ask("print", { ...of(10, 40), tagged: false, systemFonts: true }),
        newPage: () => browser.ask("newPage", of(5, 20)),
        launch: () => browser.ask("launch", of(2, 5)),
        pdfkit: () => pdfkit.ask("draw", of(10, 40)),
      },
      { rounds: context.sized(3, 7), signal: context.signal },
    );
    context.table("one page", seen, ["ours", "plain", "newPage", "launch", "pdfkit"]);
    const speed = { ours: "ours", figure: "perSecond", unit: "documents/s" } as const;
    context.compare(seen, {
      ...speed,
      theirs: "launch",
      against: "a browser for each document",
      goal: { atLeast: 20 },
    });
    context.compare(seen, {
      ...speed,
      theirs: "newPage",
      against: "a shared browser, a page for each document",
      goal: { atLeast: 5 },
    });
    const time = { theirs: "pdfkit", figure: "ms", unit: "ms" } as const;
    context.compare(seen, {
      ...time,
      ours: "plain",
      against: "pdfkit, ours without tags, in the system's fonts",
      goal: { atMost: 1.5 },
    });
    context.compare(seen, {
      ...time,
      ours: "ours",
      against: "pdfkit, ours with tags and our fonts inside",
      goal: { atMost: 2.5 },
    });
  },
};
