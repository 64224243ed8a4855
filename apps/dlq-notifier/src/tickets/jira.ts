import { z } from "zod";
import { call, type Service } from "../http/call.ts";
import type { TicketDraft } from "./ticket-draft.ts";
import { TICKET_CODES, type TicketSystem } from "./ticket-system.ts";

export interface JiraSettings {
  /** The site, e.g. `https://example.atlassian.net`. */
  readonly url: string;
  readonly email: string;
  readonly token: string;
  /** Key of the project, e.g. `OPS`. */
  readonly project: string;
  readonly issueType: string;
}

const JIRA: Service = { name: "Jira", codes: TICKET_CODES };
const Found = z.object({ issues: z.array(z.object({ key: z.string() })) });
const Created = z.object({ key: z.string() });

/** Jira Cloud, REST API v3; issues are found again by a label. */
export function jira({ url, email, token, project, issueType }: JiraSettings): TicketSystem {
  const site = url.replace(/\/+$/, "");
  const headers = {
    Authorization: `Basic ${Buffer.from(`${email}:${token}`).toString("base64")}`,
    Accept: "application/json",
  };
  const get = async (path: string, signal: AbortSignal): Promise<string> =>
    (await call(JIRA, { method: "GET", url: `${site}${path}`, headers }, signal)).text;
  const post = async (path: string, body: object, signal: AbortSignal): Promise<string> =>
    (await call(JIRA, { method: "POST", url: `${site}${path}`, headers, body }, signal)).text;
  const ticketOf = (key: string) => ({ id: key, url: `${site}/browse/${key}` });

  return {
    name: "jira",
    async find(marker, signal) {
      // Both are of our own alphabet, so the quotes hold. The older `/search` is gone.
      const jql = `project = "${project}" AND labels = "${marker}" ORDER BY created ASC`;
      const body = { jql, fields: ["key"], maxResults: 1 };
      const [issue] = Found.parse(
        JSON.parse(await post("/rest/api/3/search/jql", body, signal)),
      ).issues;
      return issue && ticketOf(issue.key);
    },
    async open(draft, signal) {
      const body = {
        fields: {
          project: { key: project },
          issuetype: { name: issueType },
          summary: draft.summary,
          description: issueDocument(draft),
          labels: ["ballast", draft.marker],
        },
      };
      const { key } = Created.parse(JSON.parse(await post("/rest/api/3/issue", body, signal)));
      return ticketOf(key);
    },
    async hasComment({ id }, marker, signal) {
      const path = `/rest/api/3/issue/${encodeURIComponent(id)}/comment?maxResults=100&orderBy=-created`;
      return (await get(path, signal)).includes(marker);
    },
    async comment({ id }, { marker, text }, signal) {
      const body = { body: adf(paragraph(text), paragraph(marker)) };
      await post(`/rest/api/3/issue/${encodeURIComponent(id)}/comment`, body, signal);
    },
  };
}

/** Atlassian's document format: texts are nodes, so nothing in them is markup. */
const issueDocument = ({ title, facts, sample, url }: TicketDraft): object =>
  adf(
    paragraph(title),
    {
      type: "bulletList",
      content: facts.map(({ name, value }) => ({
        type: "listItem",
        content: [paragraph(`${name}: ${value}`)],
      })),
    },
    ...(sample === null
      ? []
      : [paragraph("Latest payload:"), { type: "codeBlock", content: [textNode(sample)] }]),
    ...(url === null
      ? []
      : [
          {
            type: "paragraph",
            content: [{ ...textNode(url), marks: [{ type: "link", attrs: { href: url } }] }],
          },
        ]),
  );

const adf = (...content: object[]) => ({ type: "doc", version: 1, content });
/** A text node must not be empty. */
const textNode = (text: string) => ({ type: "text", text: text || "–" });
const paragraph = (text: string) => ({ type: "paragraph", content: [textNode(text)] });
