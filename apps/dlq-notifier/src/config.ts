import {
  type Env,
  queueConfig,
  readEnv,
  type ServiceConfig,
  serviceConfig,
  serviceEnv,
  storesEnv,
} from "@ballast/service";
import { z } from "zod";
import type { ChannelSettings } from "./channels/open-channels.ts";
import type { TicketSettings } from "./tickets/open-ticket-system.ts";

/** Secrets travel in these addresses or beside them, so only this machine may be reached without TLS. */
const webUrl = z
  .url({ protocol: /^https?$/ })
  .refine(
    (text) => /^https:|^http:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])[:/]/i.test(`${text}/`),
    {
      message: "must begin with https://, except on this machine",
    },
  );
const address = z.email();
const count = (most: number) => z.coerce.number().int().min(1).max(most);

export const EnvSchema = z
  .object({
    ...serviceEnv,
    ...storesEnv,
    API_PUBLIC_URL: webUrl
      .optional()
      .describe("where people reach the API; alerts and tickets link to it"),
    ALERT_SLACK_WEBHOOK_URL: webUrl.optional().describe("an incoming webhook of Slack"),
    ALERT_TEAMS_WEBHOOK_URL: webUrl
      .optional()
      .describe("a workflow of Microsoft Teams that posts Adaptive Cards"),
    ALERT_PAGERDUTY_ROUTING_KEY: z
      .string()
      .min(8)
      .optional()
      .describe("the integration key of an Events API v2 integration"),
    ALERT_PAGERDUTY_URL: webUrl
      .default("https://events.pagerduty.com")
      .describe("PagerDuty's event server, https://events.eu.pagerduty.com in the EU"),
    ALERT_MAIL_TO: z
      .string()
      .transform((text) => text.split(",").map((one) => one.trim()))
      .pipe(z.array(address).min(1).max(20))
      .optional()
      .describe("mail addresses of those on call, separated by commas"),
    ALERT_MAIL_FROM: address.optional().describe("the address that alerts are mailed from"),
    SMTP_URL: z
      .url({ protocol: /^smtps?$/ })
      .optional()
      .describe("the mail server: smtp://user:password@host:587 or smtps://…, percent-encoded"),
    SMTP_TLS: z
      .enum(["required", "opportunistic", "off"])
      .optional()
      .describe("how much TLS smtp:// needs; required unless the server is on this machine"),
    ALERT_WEBHOOK_URL: webUrl
      .optional()
      .describe("an address of your own that gets alerts as JSON"),
    ALERT_WEBHOOK_SECRET: z
      .string()
      .min(16)
      .optional()
      .describe("what ALERT_WEBHOOK_URL is signed with, 16 characters or more"),
    ALERT_GATE_CLOSED_MINUTES: z.coerce
      .number()
      .min(0.1)
      .max(10_080)
      .default(15)
      .describe("minutes that a remote may not be called before people are told"),
    TICKET_GITHUB_REPOSITORY: z
      .string()
      .regex(/^[\w.-]+\/[\w.-]+$/)
      .optional()
      .describe("where issues are opened, as owner/name"),
    TICKET_GITHUB_TOKEN: z
      .string()
      .min(1)
      .optional()
      .describe("a token that may write issues there"),
    TICKET_GITHUB_API_URL: webUrl
      .default("https://api.github.com")
      .describe("GitHub's API, or that of a server of your own"),
    TICKET_JIRA_URL: webUrl.optional().describe("the Jira Cloud site, https://….atlassian.net"),
    TICKET_JIRA_EMAIL: address.optional().describe("whose token TICKET_JIRA_TOKEN is"),
    TICKET_JIRA_TOKEN: z.string().min(1).optional().describe("an API token of Jira"),
    TICKET_JIRA_PROJECT: z
      .string()
      .regex(/^[A-Z][A-Z0-9_]*$/)
      .optional()
      .describe("key of the project, e.g. OPS"),
    TICKET_JIRA_ISSUE_TYPE: z.string().min(1).default("Task").describe("type of the issues"),
    TICKET_WEBHOOK_URL: webUrl.optional().describe("an address of your own that opens tickets"),
    TICKET_WEBHOOK_SECRET: z
      .string()
      .min(16)
      .optional()
      .describe("what TICKET_WEBHOOK_URL is signed with, 16 characters or more"),
    DEAD_LETTER_KEEP_DAYS: count(3_650)
      .default(90)
      .describe("days after its death that a letter is kept"),
    DEAD_LETTER_KEEP_BYTES: count(1_099_511_627_776)
      .default(1_073_741_824)
      .describe("room for all letters; settled ones go first"),
    NOTIFIER_DATABASE_CONNECTIONS: count(100)
      .min(3)
      .default(5)
      .describe("connections to PostgreSQL this process opens at most"),
  })
  .superRefine(checkTogether);

type Read = {
  readonly [name: string]: unknown;
};

/** Settings that are of use together alone: the first asks for the others. */
const TOGETHER = [
  ["ALERT_MAIL_TO", "ALERT_MAIL_FROM", "SMTP_URL"],
  ["ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET"],
  ["TICKET_GITHUB_REPOSITORY", "TICKET_GITHUB_TOKEN"],
  ["TICKET_JIRA_URL", "TICKET_JIRA_EMAIL", "TICKET_JIRA_TOKEN", "TICKET_JIRA_PROJECT"],
  ["TICKET_WEBHOOK_URL", "TICKET_WEBHOOK_SECRET"],
] as const;
const TICKET_SYSTEMS = ["TICKET_GITHUB_REPOSITORY", "TICKET_JIRA_URL", "TICKET_WEBHOOK_URL"];

function checkTogether(env: Read, context: z.RefinementCtx): void {
  const complain = (name: string, message: string) =>
    context.addIssue({ code: "custom", path: [name], message });
  for (const [first, ...others] of TOGETHER)
    for (const name of others)
      if (env[first] !== undefined && env[name] === undefined)
        complain(name, `is needed by ${first}`);
  const [used, ...more] = TICKET_SYSTEMS.filter((name) => env[name] !== undefined);
  for (const name of more) complain(name, `and ${used} are both set: an incident has one ticket`);
}

export interface NotifierConfig extends ServiceConfig {
  readonly database: { readonly url: string; readonly poolMax: number };
  readonly queue: { readonly url: string; readonly prefix: string };
  readonly apiUrl: string | null;
  readonly channels: ChannelSettings;
  /** How long a gate may be closed before people are told. */
  readonly gateClosedForMs: number;
  readonly tickets: TicketSettings;
  readonly letters: { readonly keepDays: number; readonly keepBytes: number };
}

/** Read this process's settings, or throw one error that names every bad variable. */
export function loadConfig(env: Env): NotifierConfig {
  const read = readEnv(EnvSchema, env);
  return {
    ...serviceConfig(read),
    database: { url: read.DATABASE_URL, poolMax: read.NOTIFIER_DATABASE_CONNECTIONS },
    queue: queueConfig(read),
    apiUrl: read.API_PUBLIC_URL ?? null,
    channels: channelsOf(read),
    gateClosedForMs: read.ALERT_GATE_CLOSED_MINUTES * 60_000,
    tickets: ticketsOf(read),
    letters: { keepDays: read.DEAD_LETTER_KEEP_DAYS, keepBytes: read.DEAD_LETTER_KEEP_BYTES },
  };
}

type Parsed = z.output<typeof EnvSchema>;

const channelsOf = (read: Parsed): ChannelSettings => ({
  slack: read.ALERT_SLACK_WEBHOOK_URL ? { webhookUrl: read.ALERT_SLACK_WEBHOOK_URL } : undefined,
  teams: read.ALERT_TEAMS_WEBHOOK_URL ? { workflowUrl: read.ALERT_TEAMS_WEBHOOK_URL } : undefined,
  pagerduty: read.ALERT_PAGERDUTY_ROUTING_KEY
    ? { routingKey: read.ALERT_PAGERDUTY_ROUTING_KEY, url: read.ALERT_PAGERDUTY_URL }
    : undefined,
  mail:
    read.ALERT_MAIL_TO && read.ALERT_MAIL_FROM && read.SMTP_URL
      ? {
          smtpUrl: read.SMTP_URL,
          tls: read.SMTP_TLS ?? (isHere(read.SMTP_URL) ? "off" : "required"),
          from: read.ALERT_MAIL_FROM,
          to: read.ALERT_MAIL_TO,
        }
      : undefined,
  webhook:
    read.ALERT_WEBHOOK_URL && read.ALERT_WEBHOOK_SECRET
      ? { url: read.ALERT_WEBHOOK_URL, secret: read.ALERT_WEBHOOK_SECRET }
      : undefined,
});

const ticketsOf = (read: Parsed): TicketSettings => ({
  github:
    read.TICKET_GITHUB_REPOSITORY && read.TICKET_GITHUB_TOKEN
      ? {
          repository: read.TICKET_GITHUB_REPOSITORY,
          token: read.TICKET_GITHUB_TOKEN,
          apiUrl: read.TICKET_GITHUB_API_URL,
        }
      : undefined,
  jira:
    read.TICKET_JIRA_URL &&
    read.TICKET_JIRA_EMAIL &&
    read.TICKET_JIRA_TOKEN &&
    read.TICKET_JIRA_PROJECT
      ? {
          url: read.TICKET_JIRA_URL,
          email: read.TICKET_JIRA_EMAIL,
          token: read.TICKET_JIRA_TOKEN,
          project: read.TICKET_JIRA_PROJECT,
          issueType: read.TICKET_JIRA_ISSUE_TYPE,
        }
      : undefined,
  webhook:
    read.TICKET_WEBHOOK_URL && read.TICKET_WEBHOOK_SECRET
      ? { url: read.TICKET_WEBHOOK_URL, secret: read.TICKET_WEBHOOK_SECRET }
      : undefined,
});

const isHere = (url: string): boolean =>
  /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
