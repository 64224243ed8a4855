import { ensureChromium } from "@ballast/local";
import type { Bench } from "../bench.ts";
import { interleave } from "../interleave.ts";
import { installRivals } from "../rivals.ts";

/** Some forty pages. */
const LINES = 1_000;

/** What one long document takes. */
export const pdf40: Bench = {
  name: "pdf-40",
  about: "an invoice of 1,000 lines against a new page in a shared browser, and react-pdf",
  async run(context) {
    await installRivals(context.signal);
    const chromium = ensureChromium(process.env);
    const ours = await context.subject("our-printer");
    const browser = await context.subject("browser-prints");
    const reactPdf = await context.subject("react-pdf");
    await ours.ask("open", chromium);
    await browser.ask("open", chromium);
    const of = (full: number) => ({ lines: LINES, count: context.sized(1, full) });
    const seen = await interleave(
      {
        ours: () => ours.ask("print", of(3)),
        plain: () => ours.ask("print", { ...of(3), tagged: false }),
        newPage: () => browser.ask("newPage", of(3)),
        reactPdf: () => reactPdf.ask("draw", of(1)),
      },
      { rounds: context.sized(2, 5), signal: context.signal },
    );
    context.table("1,000 lines", seen, ["ours", "plain", "newPage", "reactPdf"]);
    const speed = { figure: "perSecond", unit: "documents/s" } as const;
    const newPage = { ...speed, theirs: "newPage" } as const;
    context.compare(seen, {
      ...newPage,
      ours: "ours",
      against: "a shared browser, a page for each document, both tagged",
      goal: { atLeast: 1.4 },
    });
    context.compare(seen, {
      ...newPage,
      ours: "plain",
      against: "a shared browser, a page for each document, ours without tags",
      goal: { atLeast: 2.3 },
    });
    context.compare(seen, {
      ...speed,
      ours: "ours",
      theirs: "reactPdf",
      against: "react-pdf, ours tagged",
      goal: { atLeast: 4 },
    });
    context.note(`${seen.of("ours", "pageCount")} pages of ours`);
  },
};
