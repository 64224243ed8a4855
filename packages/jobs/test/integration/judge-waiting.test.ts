import { renderInvoice, toBullmq } from "@ballast/contracts";
import { describeEachEngine } from "@ballast/testing";
import { expect, test } from "vitest";
import { openEngine, prepareEngine } from "../../src/index.ts";
import { judgeWaiting } from "../../src/judge-waiting.ts";

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const payload = { invoiceId: crypto.randomUUID(), revision: 1, locale: "de-DE" } as const;
const { name, data } = toBullmq(renderInvoice, payload);

describeEachEngine("what waits in a queue", (underTest) => {
  test("is judged as a worker of this release would, whatever state it waits in", async () => {
    await using queue = await underTest.open();
    await prepareEngine(queue.url);
    await using engine = openEngine(queue.url, { log, prefix: queue.prefix });
    await engine.setPaused("pdf", true);
    await engine.add("pdf", [
      { id: "fit", name, data, priority: 0 },
      { id: "urgent", name, data, priority: 5 },
      { id: "newer", name, data: { ...data, v: 2 }, priority: 0 },
      { id: "unknown", name: "paint-invoice", data, priority: 0 },
      { id: "bare", name, data: payload, priority: 0 },
      { id: "broken", name, data: { v: 1, payload: { ...payload, locale: "xx" } }, priority: 7 },
    ]);

    const judged = await judgeWaiting(engine, "pdf");

    expect(judged).toMatchObject({ count: 6, newer: 2, refusedCount: 2 });
    expect(judged.refused.toSorted()).toEqual([
      expect.stringMatching(/^render-invoice bare: its data is no envelope/),
      expect.stringMatching(/^render-invoice broken: payload of render-invoice v1.*locale/),
    ]);
  });
});
