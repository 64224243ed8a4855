import { randomUUID } from "node:crypto";
import { startHttpRecorder } from "@ballast/testing";
import { expect, test, vi } from "vitest";
import { openChannels } from "../../src/channels/open-channels.ts";
import { sendAlertHandler } from "../../src/handlers/send-alert.ts";
import { HIDDEN, privateFieldsOf, setup as setupIncident } from "./setup.ts";

/** A machine may be slow for a minute. */
vi.setConfig({ testTimeout: 90_000 });

async function setup() {
  const stack = new AsyncDisposableStack();
  const t = stack.use(await setupIncident());
  const slack = stack.use(await startHttpRecorder());
  const webhook = stack.use(await startHttpRecorder());
  const results: string[] = [];
  const settings = {
    slack: { webhookUrl: `${slack.url}/x` },
    webhook: { url: `${webhook.url}/y`, secret: "a secret of some length" },
  };
  /** As another process of the notifier has it. */
  const openHandler = () =>
    sendAlertHandler({
      db: t.db,
      channels: openChannels(settings, t.guardOf),
      privateFieldsOf,
      apiUrl: null,
      onResult: (channel, result) => results.push(`${channel} ${result}`),
    });
  const handler = openHandler();
  const send = (channel: string, change = {}, by = handler) =>
    t.run<{ response: string }>(by, {
      alertId: t.alertId,
      incidentId: t.incidentId,
      channel,
      ...change,
    });
  return {
    ...t,
    slack,
    webhook,
    results,
    openHandler,
    send,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test("an alert is sent to its channel, noted in the ledger, and not sent again by a second run", async () => {
  await using t = await setup();
  expect(await t.send("slack")).toEqual({ response: "ok" });
  expect(await t.send("slack")).toEqual({ response: "ok" });
  expect(await t.send("webhook")).toEqual({ response: "answered 200" });
  expect([t.slack.requests.length, t.webhook.requests.length]).toEqual([1, 1]);
  expect(await t.deliveries()).toMatchObject([{ channel: "slack" }, { channel: "webhook" }]);
  expect(t.results).toEqual(["slack sent", "webhook sent"]);
});

test("what is private, secret or an address is in no alert", async () => {
  await using t = await setup();
  await t.send("slack");
  await t.send("webhook");
  for (const { body } of [...t.slack.requests, ...t.webhook.requests])
    for (const hidden of HIDDEN) expect(body).not.toContain(hidden);
  expect(t.webhook.requests[0]?.json).toMatchObject({
    latestPayload: expect.stringContaining('"invoiceId": "string"'),
  });
});

test.each(["opened", "grown", "reopened"] as const)(
  "%s that comes after the resolution is not sent, and the ledger says so; the resolution is",
  async (kind) => {
    await using t = await setup();
    const late = await t.alert(kind);
    const resolved = await t.alert("resolved");
    await t.setState("resolved");

    expect(await t.send("webhook", { alertId: resolved })).toEqual({ response: "answered 200" });
    const response = "not sent: the incident was resolved since";
    for (const again of [false, true])
      expect(await t.send("webhook", { alertId: late }), String(again)).toEqual({ response });
    expect(t.webhook.requests.map(({ json }) => json)).toMatchObject([
      { type: "incident.resolved" },
    ]);
    expect(await t.deliveries()).toMatchObject([
      { alertId: resolved, overtaken: false },
      { alertId: late, overtaken: true, response },
    ]);
    expect(t.results).toEqual(["webhook sent"]);
  },
);

test.each(["open", "resolved", "ignored"] as const)(
  "a resolution that comes after the incident was opened again is not sent; by now it is %s",
  async (state) => {
    await using t = await setup();
    const late = await t.alert("resolved");
    const reopened = await t.alert("reopened");
    await t.setState(state);

    const response = "not sent: the incident came back since";
    expect(await t.send("webhook", { alertId: late })).toEqual({ response });
    expect(await t.send("webhook", { alertId: reopened })).toEqual({ response: "answered 200" });
    expect(t.webhook.requests).toHaveLength(1);
    expect(await t.deliveries()).toMatchObject([{ overtaken: true }, { overtaken: false }]);
  },
);

test("of an incident that is live again, what is late is sent, and its resolution is not", async () => {
  await using t = await setup();
  const resolved = await t.alert("resolved");
  // An operator opened it again, of which no alert is made.
  await t.setState("open");

  await t.send("webhook", { alertId: resolved });
  await t.send("webhook");
  await t.alert("reopened");
  await t.send("slack");
  expect(t.webhook.requests.map(({ json }) => json)).toMatchObject([{ type: "incident.opened" }]);
  expect(t.slack.requests).toHaveLength(1);
});

test("a channel that is down closes its gate for all processes, is not in the ledger, and delays no other", async () => {
  await using t = await setup();
  t.slack.behave({ kind: "answer", status: 503 });
  for (let n = 0; n < 5; n++)
    await expect(t.send("slack")).rejects.toMatchObject({ code: "channel_down" });
  for (const process of [undefined, t.openHandler()])
    await expect(t.send("slack", {}, process)).rejects.toMatchObject({
      code: "gate_closed",
      message: expect.stringContaining("503"),
    });
  expect(t.slack.requests).toHaveLength(5);
  await t.send("webhook");
  expect(await t.deliveries()).toMatchObject([{ channel: "webhook" }]);
  expect(t.results.slice(-3)).toEqual(["slack gate_closed", "slack gate_closed", "webhook sent"]);
});

test("a channel that asks to wait is left alone for that long, by all processes", async () => {
  await using t = await setup();
  t.slack.behave({ kind: "answer", status: 429, headers: { "retry-after": "60" } });
  await expect(t.send("slack")).rejects.toMatchObject({ code: "channel_limited" });
  await expect(t.send("slack", {}, t.openHandler())).rejects.toMatchObject({
    code: "quota_used_up",
  });
  expect(t.slack.requests).toHaveLength(1);
});

test("a channel that lets nobody in is closed at once", async () => {
  await using t = await setup();
  t.slack.behave({ kind: "answer", status: 403 });
  await expect(t.send("slack")).rejects.toMatchObject({ code: "channel_refused" });
  await expect(t.send("slack")).rejects.toMatchObject({
    code: "gate_closed",
    message: expect.stringContaining("auth_failed"),
  });
});

test("channels that hang hold two places each and no more", async () => {
  await using t = await setup();
  t.slack.behave({ kind: "hang" });
  const hanging = [t.send("slack"), t.send("slack")].map((sending) => sending.catch(() => {}));
  await t.slack.waitForRequests(2);
  await expect(t.send("slack")).rejects.toMatchObject({ code: "channel_busy" });
  expect(await t.send("webhook")).toEqual({ response: "answered 200" });
  await t.slack[Symbol.asyncDispose]();
  await Promise.all(hanging);
});

test("a channel without settings here waits for a process that has them; an alert that is gone is dead", async () => {
  await using t = await setup();
  await expect(t.send("teams")).rejects.toMatchObject({
    code: "channel_not_configured",
    retryAfterMs: 60_000,
  });
  await expect(t.send("slack", { alertId: randomUUID() })).rejects.toMatchObject({
    code: "alert_not_found",
  });
});
