import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "@ballast/testing";
import { sql } from "kysely";
import { causesOfDeath, numberOf, runsByState, untilAllOver } from "../count.ts";
import { defineDrill } from "../drill.ts";
import type { Edit } from "../sabotage/sabotage.ts";
import type { Replica } from "../stack/replica.ts";

/** What a browser may hold beyond what it held at rest, once all is over. */
const GROWN_MB = 150;
const MAX_PRINT_MEMORY_MB = 400;
/** An invoice that takes several times that. */
const EATER_LINES = 5_000;

/** The invoice of one customer never ends: each of its hidden elements looks at all before it. */
const endlessTemplate: Edit = {
  file: "apps/pdf-worker/src/invoice/invoice-html.ts",
  find: `\${payment(context)}
</main>`,
  replace: `\${payment(context)}
\${context.invoice.customer.name === "Endless" && trusted("<style>b + i ~ i { color: red } i { display: none }</style>" + "<i></i>".repeat(200_000))}
</main>`,
};

/** The browser is killed in the middle of its work, again and again, and two documents are its ruin: the others are there in the end. */
export const browserKilled = defineDrill({
  name: "browser-killed",
  promise:
    "the browser is killed mid-render, repeatedly; one document never ends, one eats memory: the others are rendered, the bad ones die with their codes, memory is back to base",
  sabotages: [
    {
      without: "another try after the browser died",
      file: "apps/pdf-worker/src/print-errors.ts",
      find: "class BrowserCrashedError extends TransientError",
      replace: "class BrowserCrashedError extends PermanentError",
    },
    {
      without: "the watch on memory while a document is printed",
      file: "apps/pdf-worker/src/memory-watch.ts",
      find: "const LONG_PRINT_MS = 1_000;",
      replace: "const LONG_PRINT_MS = 1_000_000_000;",
    },
  ],
  async run(t) {
    const [count, kills] = t.sized([6, 2], [60, 15]);
    // The endless one fails five times, with backoff: too long for a short drill.
    const hasEndless = t.sized(false, true);
    const stack = await t.open({
      apps: { "pdf-worker": 1 },
      env: {
        PDF_PRINT_TIMEOUT_MS: t.sized("60000", "30000"),
        PDF_MAX_PRINT_MEMORY_MB: String(MAX_PRINT_MEMORY_MB),
      },
      tuning: [endlessTemplate],
    });
    const [worker] = stack.replicas("pdf-worker");
    if (worker === undefined) throw new Error("no pdf-worker");
    const baseMb = browserMemoryMb(worker);
    const print = async (customer: { lines: number; name?: string }) => {
      const { invoice } = await stack.invoice(customer);
      await stack.api.post(`/v1/invoices/${invoice.id}/pdf`);
    };
    for (let n = 0; n < count; n++) await print({ lines: 400 });
    let killed = 0;
    // The last few would be hit each time they are tried, and die of that as a bad one does.
    const few = t.sized(1, 15);
    while (killed < kills) {
      const rendering = () =>
        numberOf(stack.db, sql`job_runs WHERE running_attempt_id IS NOT NULL`);
      const left = () => numberOf(stack.db, sql`job_runs WHERE state IN ('waiting', 'started')`);
      await until(async () => (await rendering()) > 0 || (await left()) < few);
      if ((await left()) < few) break; // a fast machine comes there before
      await pause(200);
      t.tell("the browser is killed");
      for (const pid of browsersOf(worker)) process.kill(pid, "SIGKILL");
      killed += 1;
      await pause(1_000);
    }

    // Beside small ones only: the fattest is killed, and it must be plain which that is.
    await untilAllOver(stack.db, t.sized(60_000, 180_000));
    t.tell("one document eats memory, beside others");
    await print({ lines: EATER_LINES });
    if (hasEndless) await print({ lines: 1, name: "Endless" });
    for (let n = 0; n < count; n++) await print({ lines: 100 });
    await untilAllOver(stack.db, t.sized(60_000, 300_000));
    const { completed = 0, dead = 0 } = await runsByState(stack.db);
    const deaths = await causesOfDeath(stack.db);
    const isBack = () =>
      browsersOf(worker).length === 1 && browserMemoryMb(worker) <= baseMb + GROWN_MB;
    await worker.untilReady();
    await until(isBack, { deadlineMs: 10_000 }).catch(() => {});
    const browsers = browsersOf(worker).length;
    const endMb = browserMemoryMb(worker);
    await worker.stop();

    t.figure("documents", completed);
    t.figure("kills", killed);
    t.figure("retried", await numberOf(stack.db, sql`job_attempts WHERE outcome = 'retry'`));
    t.figure("deaths", deaths);
    t.figure("memoryBaseMb", baseMb);
    t.figure("memoryEndMb", endMb);
    t.must("the browser was killed", killed > 0);
    t.must("every other document is rendered", completed === 2 * count);
    t.must("none dies but the bad ones", dead === (hasEndless ? 2 : 1));
    t.must("the eater dies for its memory", deaths.includes("print_memory_exceeded 1"));
    if (hasEndless) t.must("the endless one dies for its time", deaths.includes("print_timeout 1"));
    t.must("memory is back to base", endMb <= baseMb + GROWN_MB);
    t.must("one browser is there in the end", browsers === 1);
    t.must("none is left behind by the worker", browsersOf(worker).length === 0);
  },
});

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
}

/** The browser's own process, whose children are its pages: the worker starts no other. */
const browsersOf = ({ pid }: Replica): number[] =>
  processes()
    .filter(({ parent }) => parent === pid)
    .map((browser) => browser.pid);

/** Private memory of the worker's browsers with their pages. */
function browserMemoryMb(worker: Replica): number {
  const browsers = browsersOf(worker);
  return processes()
    .filter(({ group }) => browsers.includes(group))
    .reduce((sum, { pid }) => sum + privateMb(pid), 0);
}

const processes = (): Process[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      // The command before it may hold anything, blanks and parentheses too.
      const stat = readProc(`${name}/stat`);
      const [, parent, group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return group === undefined
        ? []
        : [{ pid: Number(name), parent: Number(parent), group: Number(group) }];
    });

/** Resident minus shared pages of 4 KiB. */
function privateMb(pid: number): number {
  const [, resident = 0, shared = 0] = readProc(`${pid}/statm`).split(" ");
  return (Number(resident) - Number(shared)) / 256;
}

function readProc(file: string): string {
  try {
    return readFileSync(`/proc/${file}`, "latin1");
  } catch {
    return ""; // gone meanwhile
  }
}
