import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { renderInvoice, toBullmq } from "@ballast/contracts";
import { openEngine, prepareEngine } from "@ballast/jobs";
import { describeEachEngine } from "@ballast/testing";
import { expect, test } from "vitest";

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const program = join(import.meta.dirname, "../src/judge-queues.ts");
const judge = (own: Record<string, string>) =>
  promisify(execFile)(process.execPath, ["--conditions=@ballast/source", program], {
    env: { ...process.env, QUEUE_URL: "", ...own },
  }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );

describeEachEngine("judging the queues", (underTest) => {
  test("ends with 0 while all is understood, and with 1 and a line for what would die", async () => {
    await using queue = await underTest.open();
    await prepareEngine(queue.url);
    await using engine = openEngine(queue.url, { log, prefix: queue.prefix });
    const payload = { invoiceId: crypto.randomUUID(), revision: 1, locale: "de-DE" } as const;
    const { name, data } = toBullmq(renderInvoice, payload);
    await engine.add("pdf", [{ id: "fit", name, data, priority: 0 }]);
    const env = { QUEUE_URL: queue.url, QUEUE_PREFIX: queue.prefix };

    expect(await judge(env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("queue pdf: 1 wait, 0 for a newer worker, 0 would die"),
    });
    await engine.add("pdf", [{ id: "bare", name, data: payload, priority: 0 }]);
    expect(await judge(env)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("render-invoice bare: its data is no envelope"),
    });
  });
});

test.each([
  ["without an engine's address", "", 78, "QUEUE_URL is missing"],
  [
    "given sentinels without their master's name",
    "redis+sentinel://:secret@127.0.0.1:1",
    78,
    "QUEUE_URL does not say what its sentinels call the master",
  ],
  [
    "given no address",
    "postgres://a:secret@host:port/b",
    78,
    "QUEUE_URL is no postgres:// address",
  ],
  ["while nothing answers", "redis://:secret@127.0.0.1:1", 1, "the queue engine does not answer"],
])("%s it says so in a line", async (_, QUEUE_URL, code, line) => {
  const judged = await judge({ QUEUE_URL });
  expect(judged).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(line) });
  expect(JSON.stringify(judged)).not.toContain("secret");
});
