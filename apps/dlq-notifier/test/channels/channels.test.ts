import { createHmac } from "node:crypto";
import { DependencyDownError, PermanentError, RateLimitedError } from "@ballast/jobs";
import { type HttpRecorder, startHttpRecorder, startSmtpServer } from "@ballast/testing";
import { expect, test, vi } from "vitest";
import type { Channel } from "../../src/channels/channel.ts";
import { type ChannelSettings, openChannels } from "../../src/channels/open-channels.ts";
import { unguarded } from "../unguarded.ts";
import { aMessage } from "./a-message.ts";

/** A machine may be slow for a minute. */
vi.setConfig({ testTimeout: 90_000 });

const never = new AbortController().signal;
const SECRET = "a secret of some length";
const URL_SECRET = "T0P5ECRET";

/** The settings of each web channel, pointed at a double. */
const webChannels = {
  slack: ({ url }: HttpRecorder): ChannelSettings => ({
    slack: { webhookUrl: `${url}/services/${URL_SECRET}` },
  }),
  teams: ({ url }: HttpRecorder): ChannelSettings => ({
    teams: { workflowUrl: `${url}/workflows/x?sig=${URL_SECRET}` },
  }),
  pagerduty: ({ url }: HttpRecorder): ChannelSettings => ({
    pagerduty: { routingKey: URL_SECRET, url },
  }),
  webhook: ({ url }: HttpRecorder): ChannelSettings => ({
    webhook: { url: `${url}/alerts/${URL_SECRET}`, secret: SECRET },
  }),
};
const names = Object.keys(webChannels) as (keyof typeof webChannels)[];

async function setup(name: keyof typeof webChannels) {
  const receiver = await startHttpRecorder();
  const channel = openChannels(webChannels[name](receiver), unguarded).get(name) as Channel;
  return {
    receiver,
    send: (message = aMessage(), signal = never) => channel.send(message, signal),
    /** What the channel says of a failure. */
    failure: () => channel.send(aMessage(), never).catch((error: unknown) => error),
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  };
}

const FACTS = {
  Queue: "email",
  Job: "send-invoice",
  Code: "refused",
  Deaths: "10",
  "Waiting for triage": "11",
  "First seen": "2026-11-24 09:00:00 UTC",
  "Last seen": "2026-11-24 09:30:00 UTC",
  Affected: "invoice:1, invoice:2 and 7 more",
  "Worker versions": "1.2.0, 1.3.0",
};
const TITLE = "<!channel> [pay](https://evil.example) `now` @here refused by [mail]";
const INCIDENT_URL =
  "https://ballast.example.org/v1/incidents/01a20ad8-dabd-76be-ae7a-3b9325958fca";

test("Slack gets blocks whose foreign texts are plain, and a text for notifications that calls nobody", async () => {
  await using t = await setup("slack");
  expect(await t.send()).toBe("ok");
  expect(t.receiver.requests).toMatchObject([
    {
      method: "POST",
      path: `/services/${URL_SECRET}`,
      json: {
        text: "🟠 send-invoice goes on dying in email: 10 deaths: &lt;!channel&gt; [pay](https://evil.example) `now` @here refused by [mail]",
        blocks: [
          { type: "header", text: { type: "plain_text" } },
          { type: "section", text: { type: "plain_text", text: TITLE } },
          {
            type: "section",
            fields: Object.entries(FACTS).map(([name, value]) => ({
              type: "plain_text",
              text: `${name}\n${value}`,
            })),
          },
          {
            type: "section",
            text: { type: "mrkdwn", text: `<${INCIDENT_URL}|Open the incident>` },
          },
        ],
      },
    },
  ]);
});

test("Teams gets an Adaptive Card whose foreign texts stand in runs, which know no Markdown", async () => {
  await using t = await setup("teams");
  t.receiver.behave({ kind: "answer", status: 202 });
  expect(await t.send()).toBe("accepted with 202");
  const [request] = t.receiver.requests;
  expect(request).toMatchObject({
    path: `/workflows/x?sig=${URL_SECRET}`,
    json: {
      type: "message",
      attachments: [
        {
          contentType: "application/vnd.microsoft.card.adaptive",
          content: {
            type: "AdaptiveCard",
            version: "1.4",
            body: [
              { type: "RichTextBlock", inlines: [{ type: "TextRun", color: "Warning" }] },
              { type: "RichTextBlock", inlines: [{ type: "TextRun", text: TITLE }] },
              ...Object.entries(FACTS).map(([name, value]) => ({
                type: "RichTextBlock",
                inlines: [{ text: `${name}: ` }, { type: "TextRun", text: value }],
              })),
            ],
            actions: [{ type: "Action.OpenUrl", url: INCIDENT_URL }],
          },
        },
      ],
    },
  });
  expect(request?.body).not.toContain('"TextBlock"');
});

test("PagerDuty gets one event per alert under one key, and a resolution ends it", async () => {
  await using t = await setup("pagerduty");
  t.receiver.behave({ kind: "answer", status: 202, body: { status: "success" } });
  const key = "ballast:email:0123456789abcdef0123456789abcdef";
  expect(await t.send()).toBe(key);
  await t.send(aMessage("grown", 100n));
  await t.send(aMessage("resolved"));
  expect(t.receiver.requests.map(({ json }) => json)).toMatchObject([
    {
      routing_key: URL_SECRET,
      event_action: "trigger",
      dedup_key: key,
      links: [{ href: INCIDENT_URL }],
      payload: {
        summary: `send-invoice goes on dying in email: 10 deaths: ${TITLE}`,
        source: "ballast",
        severity: "error",
        timestamp: "2026-11-24T09:31:00.000Z",
        component: "send-invoice",
        group: "email",
        class: "refused",
        custom_details: FACTS,
      },
    },
    { event_action: "trigger", dedup_key: key, payload: { severity: "critical" } },
    { event_action: "resolve", dedup_key: key, payload: { severity: "info" } },
  ]);
  expect(t.receiver.requests[0]?.path).toBe("/v2/enqueue");
});

test("the webhook gets JSON that is signed with the time, and the alert's id to tell repeats by", async () => {
  await using t = await setup("webhook");
  await t.send();
  const [request] = t.receiver.requests;
  const { "ballast-timestamp": at, "ballast-signature": signature } = request?.headers ?? {};
  expect(signature).toBe(
    `v1=${createHmac("sha256", SECRET).update(`${at}.${request?.body}`).digest("hex")}`,
  );
  expect(Math.abs(Date.now() / 1_000 - Number(at))).toBeLessThan(60);
  expect(request?.headers["ballast-delivery"]).toBe("01a20ad8-dabd-76be-ae7a-00000000000a");
  expect(request?.json).toMatchObject({
    type: "incident.grown",
    at: "2026-11-24T09:31:00.000Z",
    incident: {
      url: INCIDENT_URL,
      queue: "email",
      title: TITLE,
      deathCount: 10,
      severity: "error",
    },
    facts: FACTS,
  });
});

test.each(names)("%s gets no secret, no mail address and nothing private", async (name) => {
  await using t = await setup(name);
  await t.send();
  const body = (t.receiver.requests[0]?.body ?? "").replaceAll(URL_SECRET, "");
  for (const hidden of ["sk-verysecret", "Muster@", "erika@", 'example.org"', SECRET])
    expect(body).not.toContain(hidden);
});

test.each(names)("%s is down: put off, and nothing of its address is said", async (name) => {
  const t = await setup(name);
  for (const behaviour of [
    { kind: "answer", status: 500, body: "boom" },
    { kind: "answer", status: 503 },
    { kind: "drop" },
  ] as const) {
    t.receiver.behave(behaviour);
    const error = await t.failure();
    expect(error).toBeInstanceOf(DependencyDownError);
    expect(error).toMatchObject({ code: "channel_down" });
    expect(JSON.stringify(error) + String(error)).not.toContain(URL_SECRET);
  }
  await t[Symbol.asyncDispose]();
  expect(await t.failure()).toMatchObject({ code: "channel_down", retryAfterMs: undefined });
});

test.each(names)("%s says when to come again: in seconds, or with a date", async (name) => {
  await using t = await setup(name);
  t.receiver.behave({ kind: "answer", status: 429, headers: { "Retry-After": "7" } });
  const seconds = await t.failure();
  expect(seconds).toBeInstanceOf(RateLimitedError);
  expect(seconds).toMatchObject({ code: "channel_limited", retryAfterMs: 7_000 });

  const at = new Date(Date.now() + 60_000).toUTCString();
  t.receiver.behave({ kind: "answer", status: 429, headers: { "Retry-After": at } });
  const { retryAfterMs } = (await t.failure()) as RateLimitedError;
  expect(retryAfterMs).toBeGreaterThan(20_000);
  expect(retryAfterMs).toBeLessThanOrEqual(60_000);

  t.receiver.behave({ kind: "answer", status: 503, headers: { "Retry-After": "9" } });
  expect(await t.failure()).toMatchObject({ code: "channel_down", retryAfterMs: 9_000 });
});

test("what refuses everything is asked again much later; what rejects this alert is dead; a redirect is not followed", async () => {
  await using t = await setup("slack");
  for (const status of [401, 403, 404, 410, 302]) {
    t.receiver.behave({
      kind: "answer",
      status,
      body: "no_service",
      headers: { Location: "/other" },
    });
    expect(await t.failure()).toMatchObject({ code: "channel_refused", retryAfterMs: 600_000 });
  }
  expect(t.receiver.requests).toHaveLength(5);
  t.receiver.behave({ kind: "answer", status: 400, body: "invalid_blocks for max@example.org" });
  const error = await t.failure();
  expect(error).toBeInstanceOf(PermanentError);
  expect(error).toMatchObject({ message: "Slack answered 400: invalid_blocks for [mail]" });
});

test("a channel that hangs, and one that drips, is let go after 10 s; one that floods is not read to its end", async () => {
  await using hanging = await setup("slack");
  await using dripping = await setup("webhook");
  await using flooding = await setup("teams");
  hanging.receiver.behave({ kind: "hang" });
  dripping.receiver.behave({ kind: "drip" });
  flooding.receiver.behave({ kind: "answer", status: 200, body: "x".repeat(2_000_000) });
  const failures = await Promise.all([hanging.failure(), dripping.failure(), flooding.failure()]);
  expect(failures).toMatchObject([
    { code: "channel_down", message: "Slack did not answer (no answer within 10000 ms)" },
    { code: "channel_down", message: expect.stringContaining("no answer within 10000 ms") },
    { code: "channel_down" },
  ]);
}, 60_000);

test("a channel lets go when told to stop, with the reason it was told", async () => {
  await using t = await setup("slack");
  t.receiver.behave({ kind: "hang" });
  const stop = new AbortController();
  const sending = t.send(aMessage(), stop.signal).catch((error: unknown) => error);
  await t.receiver.waitForRequests(1);
  const reason = new Error("shutdown");
  stop.abort(reason);
  expect(await sending).toBe(reason);
});

const mailChannel = (smtpUrl: string, to: readonly string[] = ["on-call@example.org"]) =>
  openChannels({ mail: { smtpUrl, tls: "off", from: "ballast@example.org", to } }, unguarded).get(
    "mail",
  ) as Channel;

test("mail goes to each of those on call, as text, under an id that repeats share", async () => {
  await using server = await startSmtpServer();
  const channel = mailChannel(server.url, ["on-call@example.org", "second@example.org"]);
  expect(await channel.send(aMessage(), never)).toBe("250 2.0.0 Ok: queued");
  const [sent] = await server.waitForMails(1);
  expect(sent?.envelopeTo).toEqual(["on-call@example.org", "second@example.org"]);
  expect(sent?.parsed).toMatchObject({
    subject: "send-invoice goes on dying in email: 10 deaths",
    messageId: "<alert-01a20ad8-dabd-76be-ae7a-00000000000a@ballast.invalid>",
    html: false,
  });
  const text = sent?.parsed.text ?? "";
  for (const [name, value] of Object.entries(FACTS)) expect(text).toContain(`${name}: ${value}`);
  expect(text).toContain(TITLE);
  expect(text).toContain(INCIDENT_URL);
  for (const hidden of ["sk-verysecret", "Muster@", "erika@"]) expect(text).not.toContain(hidden);
});

test("a mail server that is down or refuses is told by kind, without addresses", async () => {
  await using server = await startSmtpServer();
  const channel = mailChannel(server.url);
  const failure = () => channel.send(aMessage(), never).catch((error: unknown) => error);
  server.behave({ kind: "drop", at: "greeting" });
  expect(await failure()).toMatchObject({ code: "channel_down" });
  server.behave({ kind: "reply", at: "rcpt", code: 451, text: "later, on-call@example.org" });
  expect(await failure()).toMatchObject({ code: "channel_down" });
  server.behave({ kind: "reply", at: "rcpt", code: 550, text: "no on-call@example.org here" });
  const error = await failure();
  expect(error).toMatchObject({ code: "channel_refused", retryAfterMs: 600_000 });
  expect(String(error)).not.toContain("on-call@");
  server.behave({ kind: "reply", at: "message", code: 554, text: "not this" });
  expect(await failure()).toMatchObject({ code: "alert_rejected" });
}, 60_000);
