import type { AlertMessage } from "../alerts/alert-message.ts";
import { call } from "../http/call.ts";
import { type Channel, channelService } from "./channel.ts";

const SLACK = channelService("Slack");
const MAX_HEADER_LENGTH = 150;
/** Slack refuses a section with more. */
const MAX_FIELDS = 10;

/** An incoming webhook of Slack. */
export const slack = (webhookUrl: string): Channel => ({
  name: "slack",
  async send(message, signal) {
    const body = slackBody(message);
    const { text } = await call(SLACK, { method: "POST", url: webhookUrl, body }, signal);
    return text;
  },
});

/** All that comes from outside is plain text, so that nothing in it becomes a link or calls a channel. */
function slackBody(message: AlertMessage): object {
  const { headline, title, facts, url, severity } = message;
  const icon = { critical: "🔴", error: "🟠", info: "🟢" }[severity];
  return {
    // Shown in notifications, where blocks are not.
    text: escaped(`${icon} ${headline}: ${title}`),
    blocks: [
      { type: "header", text: plain(`${icon} ${headline}`.slice(0, MAX_HEADER_LENGTH)) },
      { type: "section", text: plain(title) },
      {
        type: "section",
        fields: facts.slice(0, MAX_FIELDS).map(({ name, value }) => plain(`${name}\n${value}`)),
      },
      ...(url === null
        ? []
        : [{ type: "section", text: { type: "mrkdwn", text: `<${url}|Open the incident>` } }]),
    ],
  };
}

const plain = (text: string) => ({ type: "plain_text", text: text || "–", emoji: false });

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
