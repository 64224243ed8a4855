import { readdirSync, readFileSync } from "node:fs";
import { openPrinter, type Printed, type Printer, type PrinterOptions } from "../src/printer.ts";

/** A printer on the Chromium under test, and what it reported. */
export interface TestPrinter extends AsyncDisposable {
  readonly printer: Printer;
  /** Process ids of the browsers started so far. */
  readonly pids: readonly number[];
  readonly refused: readonly string[];
  readonly replaced: readonly string[];
  /** Documents that have a slot now. */
  readonly printing: number;
  print(html: string, signal?: AbortSignal): Promise<Printed>;
}

/**
 * The browser of this test run.
 *
 * @throws if `BALLAST_TEST_CHROMIUM` is not set; `npm test` sets it
 */
export function testChromium(): Pick<
  PrinterOptions,
  "executablePath" | "libraryPath" | "fontconfigFile"
> {
  const given = process.env["BALLAST_TEST_CHROMIUM"];
  if (given === undefined)
    throw new Error(
      'BALLAST_TEST_CHROMIUM is not set: run `npm test`, or give {"executablePath": "/path/to/chromium"}',
    );
  return JSON.parse(given);
}

export async function openTestPrinter(options: Partial<PrinterOptions> = {}): Promise<TestPrinter> {
  const pids: number[] = [];
  const refused: string[] = [];
  const replaced: string[] = [];
  let printing = 0;
  const note = (values: object, message: string) => {
    if (message === "browser started" && "browserPid" in values)
      pids.push(Number(values.browserPid));
  };
  const printer = await openPrinter({
    ...testChromium(),
    log: { info: note, warn: note },
    metrics: {
      printing(count) {
        printing = count;
      },
      printed() {},
      requestRefused: (scheme) => refused.push(scheme),
      browserReplaced: (reason) => replaced.push(reason),
    },
    ...options,
  });
  return {
    printer,
    pids,
    refused,
    replaced,
    get printing() {
      return printing;
    },
    print: (html, signal) =>
      printer.print(html, {
        paper: "A4",
        title: "Test",
        language: "en",
        date: new Date(0),
        ...(signal === undefined ? {} : { signal }),
      }),
    [Symbol.asyncDispose]: () => printer[Symbol.asyncDispose](),
  };
}

/** Whether any process of a browser still runs. A zombie does not: it only waits for PID 1 to look. */
export function isGroupAlive(group: number): boolean {
  return readdirSync("/proc").some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const [state, , own] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return Number(own) === group && state !== "Z";
    } catch {
      return false; // ended between two reads
    }
  });
}

/** A document that keeps a renderer busy for many seconds. */
export const endlessHtml = (): string =>
  `<table>${"<tr><td>1</td><td>long</td><td>row</td></tr>".repeat(120_000)}</table>`;

/** A document of about half a second. */
export const slowHtml = (): string =>
  `<p>slow</p><table>${"<tr><td>1</td><td>long</td><td>row</td></tr>".repeat(1_500)}</table>`;

/** A document that takes seconds and little memory: each of its hidden elements looks at all before it. */
export const unhurriedHtml = (elements = 12_000): string =>
  `<style>b + i ~ i { color: red } i { display: none }</style><p>unhurried</p>${"<i></i>".repeat(elements)}`;
