import { z } from "zod";
import { call, type Service } from "../http/call.ts";
import type { TicketDraft } from "./ticket-draft.ts";
import { TICKET_CODES, type Ticket, type TicketSystem } from "./ticket-system.ts";

export interface GitHubSettings {
  /** `owner/name`. */
  readonly repository: string;
  /** May write issues of that repository, and nothing else. */
  readonly token: string;
  /** `https://api.github.com`, or that of a server of one's own. */
  readonly apiUrl: string;
}

const GITHUB: Service = { name: "GitHub", codes: TICKET_CODES };
const Issue = z.object({ number: z.int(), html_url: z.url() });
const Comments = z.array(z.object({ body: z.string().nullish() }));

/** Issues of GitHub, found again by a label. */
export function github({ repository, token, apiUrl }: GitHubSettings): TicketSystem {
  const issues = `${apiUrl.replace(/\/+$/, "")}/repos/${repository}/issues`;
  const headers = {
    Authorization: `Bearer ${token}`,
    Accept: "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
  };
  const get = async (url: string, signal: AbortSignal): Promise<unknown> =>
    JSON.parse((await call(GITHUB, { method: "GET", url, headers }, signal)).text);
  const post = async (url: string, body: object, signal: AbortSignal): Promise<unknown> =>
    JSON.parse((await call(GITHUB, { method: "POST", url, headers, body }, signal)).text);

  return {
    name: "github",
    async find(marker, signal) {
      const url = `${issues}?state=all&per_page=1&labels=${encodeURIComponent(marker)}`;
      const [issue] = z.array(Issue).parse(await get(url, signal));
      return issue && ticketOf(issue);
    },
    async open(draft, signal) {
      const body = {
        title: draft.summary,
        body: issueBody(draft),
        labels: ["ballast", draft.marker],
      };
      return ticketOf(Issue.parse(await post(issues, body, signal)));
    },
    async hasComment({ id }, marker, signal) {
      const url = `${issues}/${id}/comments?per_page=100`;
      return Comments.parse(await get(url, signal)).some(({ body }) => body?.includes(marker));
    },
    async comment({ id }, { marker, text }, signal) {
      const body = { body: `${text}\n\n<!-- ${marker} -->` };
      await post(`${issues}/${id}/comments`, body, signal);
    },
  };
}

const ticketOf = ({ number, html_url }: z.output<typeof Issue>): Ticket => ({
  id: String(number),
  url: html_url,
});

/** All that comes from outside stands in fences: no mention is sent, no link made of it. */
function issueBody({ title, facts, sample, url, marker }: TicketDraft): string {
  return [
    fenced(title),
    fenced(facts.map(({ name, value }) => `${name}: ${value}`).join("\n")),
    ...(sample === null ? [] : ["Latest payload:", fenced(sample)]),
    ...(url === null ? [] : [url]),
    `<!-- ${marker} -->`,
  ].join("\n\n");
}

/** A fence is longer than any run of backticks within. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
