import type { AlertMessage } from "../alerts/alert-message.ts";
import { call } from "../http/call.ts";
import { type Channel, channelService } from "./channel.ts";

const TEAMS = channelService("Microsoft Teams");

/** A workflow of Power Automate that posts what it receives; the older connectors are retired. */
export const teams = (workflowUrl: string): Channel => ({
  name: "teams",
  async send(message, signal) {
    const body = teamsBody(message);
    const { status } = await call(TEAMS, { method: "POST", url: workflowUrl, body }, signal);
    return `accepted with ${status}`;
  },
});

/** An Adaptive Card. Texts stand in runs, which Teams shows letter by letter, without Markdown. */
function teamsBody({ headline, title, facts, url, severity }: AlertMessage): object {
  const color = { critical: "Attention", error: "Warning", info: "Good" }[severity];
  const run = (text: string, style: object = {}) => ({ type: "TextRun", text, ...style });
  const line = (...inlines: object[]) => ({ type: "RichTextBlock", inlines });
  return {
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        contentUrl: null,
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          body: [
            line(run(headline, { size: "Large", weight: "Bolder", color })),
            line(run(title)),
            ...facts.map(({ name, value }) =>
              line(run(`${name}: `, { weight: "Bolder" }), run(value)),
            ),
          ],
          actions:
            url === null ? [] : [{ type: "Action.OpenUrl", title: "Open the incident", url }],
        },
      },
    ],
  };
}
