import { randomUUID } from "node:crypto";
import { renderInvoice } from "@ballast/contracts";
import { openEngine } from "@ballast/jobs";
import type { Mailbox } from "./mailbox.ts";
import { say } from "./say.ts";

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };

/** Another team sends a payload that breaks its contract: watch it die, and whoever is on call be told by mail. */
export async function alertTour(
  queueUrl: string,
  mailbox: Mailbox,
  { onCall, signal }: { readonly onCall: string; readonly signal: AbortSignal },
): Promise<void> {
  await using engine = openEngine(queueUrl, { log });
  const began = performance.now();
  const data = { v: renderInvoice.version, payload: {} };
  await engine.add(renderInvoice.queue.name, [
    { id: randomUUID(), name: renderInvoice.name, data, priority: 0 },
  ]);
  const { parsed } = await mailbox.waitFor(
    ({ envelopeTo }) => envelopeTo.includes(onCall),
    AbortSignal.any([signal, AbortSignal.timeout(60_000)]),
  );
  const ms = Math.round(performance.now() - began);
  say(`a poisoned job was told to ${onCall} after ${ms} ms: "${parsed.subject}"`);
}
