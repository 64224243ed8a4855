import { ConfigError } from "@ballast/service";
import { expect, test } from "vitest";
import { loadConfig } from "../src/config.ts";

const LEAST = {
  DATABASE_URL: "postgres://user:password@localhost/ballast",
  QUEUE_URL: "redis://localhost:6379",
};

test("nothing but the stores is required, and no channel is used", () => {
  const config = loadConfig(LEAST);
  expect(Object.values(config.channels).every((channel) => channel === undefined)).toBe(true);
  expect(Object.values(config.tickets).every((system) => system === undefined)).toBe(true);
  expect(config).toMatchObject({
    apiUrl: null,
    letters: { keepDays: 90, keepBytes: 1_073_741_824 },
  });
});

test("what is set is used", () => {
  const { channels, tickets } = loadConfig({
    ...LEAST,
    ALERT_MAIL_TO: "a@example.org, b@example.org",
    ALERT_MAIL_FROM: "ballast@example.org",
    SMTP_URL: "smtp://mail.example.org",
    ALERT_PAGERDUTY_ROUTING_KEY: "R0123456789",
    TICKET_GITHUB_REPOSITORY: "acme/erp",
    TICKET_GITHUB_TOKEN: "t",
  });
  expect(channels).toMatchObject({
    mail: { to: ["a@example.org", "b@example.org"], tls: "required" },
    pagerduty: { url: "https://events.pagerduty.com" },
  });
  expect(tickets).toMatchObject({ github: { apiUrl: "https://api.github.com" } });
});

test.each([
  [{ ALERT_SLACK_WEBHOOK_URL: "http://hooks.slack.com/x" }, "ALERT_SLACK_WEBHOOK_URL is wrong"],
  [
    { ALERT_SLACK_WEBHOOK_URL: "http://localhost.evil.example/x" },
    "ALERT_SLACK_WEBHOOK_URL is wrong",
  ],
  [{ ALERT_MAIL_TO: "a@example.org" }, "ALERT_MAIL_FROM is missing"],
  [{ ALERT_MAIL_TO: "not an address" }, "ALERT_MAIL_TO is wrong"],
  [{ ALERT_WEBHOOK_URL: "https://x.example" }, "ALERT_WEBHOOK_SECRET is missing"],
  [{ ALERT_WEBHOOK_SECRET: "short" }, "ALERT_WEBHOOK_SECRET is wrong"],
  [{ TICKET_JIRA_URL: "https://x.atlassian.net" }, "TICKET_JIRA_PROJECT is missing"],
  [{ TICKET_JIRA_PROJECT: 'OPS" OR "1' }, "TICKET_JIRA_PROJECT is wrong"],
  [
    {
      TICKET_GITHUB_REPOSITORY: "acme/erp",
      TICKET_GITHUB_TOKEN: "t",
      TICKET_WEBHOOK_URL: "https://x.example",
      TICKET_WEBHOOK_SECRET: "a secret of some length",
    },
    "both set",
  ],
  [{ DEAD_LETTER_KEEP_DAYS: "0" }, "DEAD_LETTER_KEEP_DAYS is wrong"],
])("%j is refused: %s", (env, problem) => {
  const load = () => loadConfig({ ...LEAST, ...env });
  expect(load).toThrow(ConfigError);
  expect(load).toThrow(problem);
});
